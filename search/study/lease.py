"""Keeping a claim while its trial runs: a thread that renews the lease and survives what the storage does."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from search.errors import SearchError, StaleClaim, TrialStopped
from search.study.claims import Claim
from search.study.slots import Slots

_RENEWALS_A_LEASE = 4
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Lease:
    """A claim that is being renewed; `lost` once another worker has taken the slot over."""

    def __init__(self) -> None:
        self._lost = Event()

    @property
    def lost(self) -> bool:
        """Whether the slot has been taken over, so that nothing this trial still does can count."""
        return self._lost.is_set()

    def keep(self, slots: Slots, claim: Claim, ended: Event) -> None:
        """Renew the claim until `ended` or lost; an error of the storage is tried again, however long it lasts.

        A lease that ran out while the storage was away is renewed as well, if nobody has taken the slot meanwhile.
        """
        every = slots.lease_seconds / _RENEWALS_A_LEASE
        pause = every
        while not ended.wait(pause):
            try:
                slots.renew(claim)
                pause = every
            except SearchError:  # the claim is stale, or the study deleted
                self._lost.set()
                return
            except Exception as error:  # whatever it is, the training goes on and the thread has to as well
                _log.warning("the lease of slot %d could not be renewed, trying again: %s", claim.slot, error)
                pause = min(every, _RETRY_SECONDS)


@contextmanager
def renewing(slots: Slots, claim: Claim) -> Iterator[Lease]:
    """Renew a claim from a thread of its own for the length of the block; raise `StaleClaim` at its end if it was lost.

    That is also why the block itself may have been stopped.
    """
    lease, ended = Lease(), Event()
    thread = Thread(target=lease.keep, args=(slots, claim, ended), name=f"lease of slot {claim.slot}", daemon=True)
    thread.start()
    try:
        yield lease
    except TrialStopped:
        if not lease.lost:
            raise
    finally:
        ended.set()
        thread.join()
    if lease.lost:
        raise StaleClaim(f"slot {claim.slot} of stage {claim.stage} has been taken over from {claim.owner}")
