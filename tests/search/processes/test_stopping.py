import os
import signal

import pytest

from search.processes.stopping import stop_on_signals


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
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
