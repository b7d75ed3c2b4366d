import threading

import pytest

from search.errors import SearchError, StaleClaim, TrialStopped
from search.study.lease import renewing


class Script:
    """Slots whose renewals go as written: an exception to raise, or None; the last one stands for all later ones."""

    lease_seconds = 0.004

    def __init__(self, *script):
        self.script = list(script)
        self.renewals = 0
        self.played = threading.Event()

    def renew(self, _claim):
        self.renewals += 1
        act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if self.renewals >= 5:
            self.played.set()
        if act is not None:
            raise act


class Slot:
    stage, slot, owner = 1, 3, "lab"


def test_a_lease_is_renewed_until_the_block_ends():
    slots = Script(None)
    with renewing(slots, Slot) as lease:
        assert slots.played.wait(10)
        assert not lease.lost
    renewals = slots.renewals
    assert threading.active_count() == 1
    assert slots.renewals == renewals


def test_an_error_of_the_storage_is_tried_again(caplog):
    slots = Script(OSError("disk"), RuntimeError("server"), None)
    with renewing(slots, Slot) as lease:
        assert slots.played.wait(10)
        assert not lease.lost
    assert [record.getMessage() for record in caplog.records] == [
        f"the lease of slot 3 could not be renewed, trying again: {what}" for what in ("disk", "server")
    ]


def wait_for_its_end():
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10)


@pytest.mark.parametrize("why", [StaleClaim("taken"), SearchError("the study has been deleted")])
@pytest.mark.parametrize("stopped", [True, False])
def test_a_slot_that_is_lost_is_noticed_and_told_at_the_end_and_not_asked_for_again(why, stopped):
    slots = Script(None, why)

    def lose_it():
        with renewing(slots, Slot) as lease:
            wait_for_its_end()
            assert lease.lost
            if stopped:
                raise TrialStopped

    with pytest.raises(StaleClaim, match="slot 3 of stage 1 has been taken over from lab"):
        lose_it()
    assert slots.renewals == 2


def test_a_block_that_is_stopped_for_another_reason_says_so():
    with pytest.raises(TrialStopped), renewing(Script(None), Slot):
        raise TrialStopped


def test_the_block_ends_at_once_however_long_the_lease_is():
    slots = Script(None)
    slots.lease_seconds = 10_000
    with renewing(slots, Slot) as lease:
        pass
    assert (slots.renewals, lease.lost) == (0, False)
