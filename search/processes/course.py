"""What a trial reports on its way: its values, stored as they come, and whether it is pruned for them."""

import logging

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from search.study.assignment import PruningRule
from search.study.claims import Claim
from search.study.pruning import why_pruned
from search.study.study import Study
from search.study.trials import Trials

_log = logging.getLogger(__name__)


class Course:
    """The course of one running trial; `rule` is that by which it may be pruned."""

    def __init__(self, study: Study, claim: Claim, trial_id: int, rule: PruningRule | None = None) -> None:
        self._study, self._claim, self.trial_id, self._rule = study, claim, trial_id, rule
        self._trials = Trials(study)
        self._values: dict[int, float] = {}

    def report(self, step: int, value: float) -> None:
        """Store a value; a storage that fails is no fault of the trial's.

        Raises `StaleClaim` if the trial has been told FAIL meanwhile.
        """
        self._values[step] = value
        try:
            self._trials.report(self.trial_id, step, value)
        except (SQLAlchemyError, StorageInternalError) as error:
            _log.warning("the value of step %d could not be stored: %s", step, error)

    def why_pruned(self) -> str:
        """Say why the trial is not worth its next step, "" where it is, or where the storage cannot tell."""
        if self._rule is None or not self._values:
            return ""
        try:
            return why_pruned(self._study, self._claim, self._rule, self._values)
        except (SQLAlchemyError, StorageInternalError) as error:
            _log.warning("the values of other trials could not be read, and the trial goes on: %s", error)
            return ""
