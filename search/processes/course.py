"""What a trial leaves beside its result: a value for each epoch, files, its learning curve. None of it can fail it."""

import logging

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from model.quantity import Quantity
from search.processes.learning_curve import draw_curve
from search.storage.artifacts import ArtifactFolder, attach
from search.study.assignment import PruningRule
from search.study.claims import Claim
from search.study.pruning import why_pruned
from search.study.study import Study
from search.study.trials import Ending, TrialOutcome, Trials

_log = logging.getLogger(__name__)


class Course:
    """The course of one running trial; `folder` is where its curve goes, if there is one.

    `rule` is that by which it may be pruned.
    """

    def __init__(
        self,
        study: Study,
        claim: Claim,
        trial_id: int,
        folder: ArtifactFolder | None,
        rule: PruningRule | None = None,
    ) -> None:
        self._study, self._claim, self._trial_id, self._folder, self._rule = study, claim, trial_id, folder, rule
        self._trials = Trials(study)
        self._values: dict[int, float] = {}
        self._errors: dict[int, float] = {}

    def report(self, epoch: int, training_mae: float, validation_mae: float | None = None) -> None:
        """Store the validation error where there is one, else that of training; the curve is always that of training.

        Raises `StaleClaim` if the trial has been told FAIL meanwhile.
        """
        self._values[epoch] = training_mae
        if validation_mae is not None:
            self._errors[epoch] = validation_mae
        try:
            self._trials.report(self._trial_id, epoch, training_mae if validation_mae is None else validation_mae)
        except (SQLAlchemyError, StorageInternalError) as error:
            _log.warning("the value of epoch %d could not be stored: %s", epoch, error)

    def why_pruned(self) -> str:
        """Say why the trial is not worth its next epoch, "" where it is, or where the storage cannot tell."""
        if self._rule is None or not self._errors:
            return ""
        try:
            return why_pruned(self._study, self._claim, self._rule, self._errors)
        except (SQLAlchemyError, StorageInternalError) as error:
            _log.warning("the errors of other trials could not be read, and the trial goes on: %s", error)
            return ""

    def draw(self, outcome: Ending) -> None:
        """Attach the learning curve to the trial, which must not have ended yet."""
        if self._folder is None or not self._values:
            return
        validation = outcome.validation_mae if isinstance(outcome, TrialOutcome) else None
        title = f"stage {self._claim.stage}, slot {self._claim.slot}, attempt {self._claim.attempt}"
        try:
            errors = Quantity(self._study.spec.unit).label("MAE")
            picture = draw_curve(self._values, validation, title, errors)
            attach(self._study.storage, self._folder, self._trial_id, "learning_curve.svg", "image/svg+xml", picture)
        except Exception as error:  # whatever it is, the trial has its result
            _log.warning("the learning curve could not be stored: %s", error)

    def keep(self, name: str, content: bytes) -> None:
        """Attach a file to the trial, which must not have ended yet."""
        if self._folder is None:
            _log.warning("%s is not kept: there is no folder for artifacts; name one by the setting 'artifacts'", name)
            return
        try:
            attach(self._study.storage, self._folder, self._trial_id, name, "application/octet-stream", content)
        except Exception as error:  # whatever it is, the trial has its result
            _log.warning("%s could not be stored: %s", name, error)
