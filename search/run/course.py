"""What a trial reports on its way: its values, gathered and stored now and then, and whether it is pruned for them."""

import logging
import time

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from search.study.assignment import PruningRule
from search.study.claims import Claim
from search.study.pruning import why_pruned
from search.study.slots import Slots

STORE_SECONDS = 2.0
"""Seconds from one storing of values to the next: those of short trials are stored with the result alone."""

_log = logging.getLogger(__name__)


class Course:
    """The course of one running trial; `rule` is that by which it may be pruned, once it is known.

    `waiting` are the values that are not stored yet, by step.
    """

    def __init__(self, slots: Slots, claim: Claim, rule: PruningRule | None = None) -> None:
        self._slots, self._claim, self.rule = slots, claim, rule
        self._values: dict[int, float] = {}
        self.waiting: dict[int, float] = {}
        self._stored = time.monotonic()

    def report(self, step: int, value: float) -> None:
        """Keep a value, and store all that have gathered if it is time; of a step's values the first one stands.

        Raises `StaleClaim` if the slot has been taken over meanwhile.
        """
        if step in self._values:
            _log.warning("step %d was reported twice, and its first value stands", step)
            return
        self._values[step] = self.waiting[step] = float(value)
        if time.monotonic() >= self._stored + STORE_SECONDS:
            self._store()

    def why_pruned(self) -> str:
        """Say why the trial is not worth its next step, "" where it is, or where the storage cannot tell.

        Its own values are stored first, for other trials to be compared with.
        """
        if self.rule is None or not self._values:
            return ""
        self._store()
        try:
            return why_pruned(self._slots.study, self._claim, self.rule, self._values)
        except (SQLAlchemyError, StorageInternalError) as error:
            _log.warning("the values of other trials could not be read, and the trial goes on: %s", error)
            return ""

    def _store(self) -> None:
        """Store what waits; what a storage that fails does not take waits for the next time, or for the result."""
        storing = dict(self.waiting)
        if not storing:
            return
        try:
            self._slots.report(self._claim, storing)
        except (SQLAlchemyError, StorageInternalError) as error:
            _log.warning("values on the way could not be stored yet: %s", error)
        else:
            self.waiting = {}
        self._stored = time.monotonic()
