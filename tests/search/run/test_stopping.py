import os
import signal

import pytest

from search.run.stopping import WARNINGS, stop_on_signals


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, *WARNINGS])
def test_signals_set_the_event_within_the_block_and_are_as_before_after_it(end):
    before = signal.getsignal(end)
    with stop_on_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), end)
        assert stop.wait(10)
    assert signal.getsignal(end) is before


def test_signals_are_as_before_after_an_error():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="wrong"), stop_on_signals():
        raise ValueError("wrong")
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_nohup_started_outlives_the_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
