import threading

from search.errors import StaleClaim
from search.slots.lease import renewing


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
    slot = 3


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


def test_a_slot_taken_over_is_noticed_and_not_asked_for_again():
    slots = Script(None, StaleClaim("taken"))
    with renewing(slots, Slot) as lease:
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(10)
        assert lease.lost
    assert slots.renewals == 2


def test_the_block_ends_at_once_however_long_the_lease_is():
    slots = Script(None)
    slots.lease_seconds = 10_000
    with renewing(slots, Slot) as lease:
        pass
    assert (slots.renewals, lease.lost) == (0, False)
