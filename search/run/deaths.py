"""What workers die of and attempts fail by, in words, and when to say so: each one, and a search that stands still."""

import logging
import re
import signal
import time
from pathlib import Path
from typing import Final

from search.study.counts import failing
from search.study.study import Study

STANDSTILL_SECONDS = 600.0
"""How long a search may close no slot before it is said, with the reason; after that, twice as long each time."""

VMSTAT: Final = Path("/proc/vmstat")
"""Where Linux counts the processes that it killed for lack of memory."""

_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ")

_log = logging.getLogger(__name__)


def kills_for_memory() -> int:
    """Return how many processes the system has killed for lack of memory so far; 0 if it does not count them."""
    try:
        found = re.search(r"^oom_kill (\d+)$", VMSTAT.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def cause_of(code: int, kills: int = 0) -> str:
    """Return what the exit code of a process says; `kills` have been made for lack of memory since its start."""
    if code >= 0:
        return f"exit code {code}"
    name = f"signal {-code}"
    if -code in set(signal.Signals):
        name += f", {signal.Signals(-code).name}"
    if -code != signal.SIGKILL:
        return name
    return (
        f"{name}: by the system, which ran out of memory"
        if kills
        else f"{name}: likely by the system, for lack of memory"
    )


class Deaths:
    """Says what workers die of; one that ends with the same words as the last is not said again, unless it was killed.

    A standstill is said with the last death's cause.
    """

    def __init__(self) -> None:
        self._last = ""
        self._count = 0
        self._closed, self._since, self._patience = -1, time.monotonic(), STANDSTILL_SECONDS

    def tell(self, who: str, cause: str, words: str, *, killed: bool = False) -> None:
        """Report that `who` died of `cause` and said `words` last, and is started again."""
        self._count += 1
        notice = f"{cause}: {_STAMP.sub('', words)}"
        if killed or notice != self._last:
            _log.warning("%s died (%s) and is started again", who, notice)
        self._last = notice

    def watch(self, closed: int) -> None:
        """Report a search of which nothing is closed for long; `closed` is how many slots are by now."""
        now = time.monotonic()
        if closed != self._closed:
            self._closed, self._since, self._patience = closed, now, STANDSTILL_SECONDS
            self._last, self._count = "", 0
        elif now - self._since >= self._patience:
            self._patience *= 2
            minutes = round((now - self._since) / 60)
            _log.warning("no trial has ended for %d min: %s", minutes, self._reason())

    def _reason(self) -> str:
        if not self._count:
            return "no worker has died; a trial takes long or hangs, which 'agesearch status' and the logs may show"
        return f"workers died {self._count} times meanwhile, the last of {self._last}"


class FailedAttempts:
    """Says why attempts fail: each one once, but for those that had failed before."""

    def __init__(self, study: Study, failures: int) -> None:
        self._study, self._count = study, failures
        self._known = {(slot.stage, slot.slot): slot.failures for slot in failing(study)} if failures else {}

    def watch(self, failures: int) -> None:
        """Report the attempts that have failed since; `failures` is how many there are by now."""
        if failures <= self._count:
            return
        self._count = failures
        for slot in failing(self._study):
            place = slot.stage, slot.slot
            if slot.failures > self._known.get(place, 0):
                after = "closed as failed" if slot.closed else "run again"
                words = (*place, slot.failures, after, slot.reason)
                _log.warning("stage %d, slot %d: attempt %d failed, and the slot is %s: %s", *words)
            self._known[place] = slot.failures
