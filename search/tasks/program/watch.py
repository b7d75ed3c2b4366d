"""How long a trial of a program may go on: until its minutes are over, or its worker has been stopping for a while."""

import time
from dataclasses import dataclass, field
from typing import Final

from search.errors import TrialStopped
from search.study.trial import Trial
from search.tasks.program.failure import ProgramFailure

PAUSE: Final = 0.25
"""Seconds from one look to the next."""


@dataclass(slots=True)
class Watch:
    """Looks after one trial, from when it is handed out: the start of a new process counts.

    It has `patience`, in seconds, while the program ends a trial by itself once its worker is stopping.
    """

    trial: Trial
    minutes: float | None
    patience: float
    _begun: float = field(default_factory=time.monotonic)
    _stopping: float | None = None

    def look(self) -> None:
        """Raise ProgramFailure if the trial's minutes are over, or TrialStopped if its worker waits no longer."""
        now = time.monotonic()
        if self._stopping is None and self.trial.should_stop():
            self._stopping = now
        if self._stopping is not None and now - self._stopping >= self.patience:
            raise TrialStopped
        if self.minutes is not None and now - self._begun >= 60 * self.minutes:
            raise ProgramFailure(f"it took more than {self.minutes:g} minutes, and was ended")

    def pause(self) -> float:
        """Return how many seconds may pass until the next look."""
        if self.minutes is None:
            return PAUSE
        return min(PAUSE, max(0.0, self._begun + 60 * self.minutes - time.monotonic()))
