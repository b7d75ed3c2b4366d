"""Whether the storage's clock is to be believed: a machine that was suspended finds every lease expired."""

import time
from collections.abc import Callable


class ClockJumpDetector:
    """Compares the storage's clock with this process's own, which neither a suspension nor a correction moves.

    After a jump of the storage's clock by more than half of `grace`, in seconds, it is in doubt for `grace`, in which
    every worker that is alive renews its lease.
    """

    def __init__(self, grace: float, own: Callable[[], float] = time.monotonic) -> None:
        self._grace, self._own = grace, own
        self._ahead: float | None = None
        self._doubtful_until = -float("inf")

    def in_doubt(self, now: float) -> bool:
        """Tell whether a lease may only seem to have expired; `now` is the storage's time, in seconds."""
        own = self._own()
        before, self._ahead = self._ahead, now - own
        if before is not None and self._ahead - before > self._grace / 2:
            self._doubtful_until = own + self._grace
        return own < self._doubtful_until
