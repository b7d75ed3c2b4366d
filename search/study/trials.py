"""A study's trials as Optuna keeps them: the one place that writes to them.

A trial's change from RUNNING to COMPLETE or PRUNED is the moment at which its result counts. Optuna lets it happen
once, whatever else happens, so a trial that has been told FAIL can never come back with a result.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState, create_trial
from sqlalchemy import delete, insert, literal, select
from sqlalchemy.engine import Connection

from search.errors import StaleClaim
from search.space.distributions import distribution_of
from search.storage.optuna_tables import attributes, id_of, trials
from search.storage.patience import outlasting
from search.study.assignment import Assignment
from search.study.claims import Claim
from search.study.study import Study, deleted, require_undeleted

CURVE: Final = "training_curve"
"""The attribute with the training error of each epoch; Optuna's own intermediate values are what was reported."""

REASON: Final = "reason"
"""The attribute that says why a trial has no value."""

PRUNED_AFTER: Final = "pruned_after"
"""The attribute with the number of epochs after which a trial was pruned."""

FORGOTTEN: Final = "forgotten"
"""The attribute of an attempt at a stage that was forgotten: the slot is another one's now, if there is one."""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What a trial came to: the score that ranks it, errors in the labels' unit, and the seconds it took.

    The score is the validation MAE, to which the paper's own recipe adds the penalty, or the lowest training MAE where
    the curve of training alone is kept. `training_curve` is the training error of each epoch, where the trial was to
    keep it.
    """

    score: float
    validation_mae: float
    training_mae: float
    penalty: float
    seconds: float
    training_curve: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Diverged:
    """A trial whose training left the finite numbers: a finished trial without a value."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pruned:
    """A trial that was ended early: a finished trial without a value; why, after how many epochs and seconds."""

    reason: str
    epochs: int
    seconds: float


Ending: TypeAlias = TrialOutcome | Diverged | Pruned
"""How a trial can finish. Those without a value are PRUNED in Optuna."""


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial that Optuna calls running: its id there, and the claim it was made for."""

    id: int
    stage: int
    slot: int
    token: int


class Trials:
    """The trials of one study; those created here run on `device`."""

    def __init__(self, study: Study, device: str = "") -> None:
        self._study, self._device = study, device
        self._rdb = study.storage.rdb

    @outlasting
    def create(self, claim: Claim, assignment: Assignment) -> int:
        """Create the running trial of a claim, whole in one transaction, and return Optuna's id for it.

        If the connection is lost with the answer it is created again, and the first one belongs to no slot: the sweep
        at the study's end tells it FAIL.
        """
        own = {
            "stage": claim.stage,
            "slot": claim.slot,
            "attempt": claim.attempt,
            "token": claim.token,
            "worker": claim.owner,
            "device": self._device,
            "images": assignment.images,
            "epochs": assignment.epochs,
            "repeat": assignment.repeat,
            "seeds": asdict(assignment.seeds),
        }
        trial = create_trial(
            state=TrialState.RUNNING,
            params=assignment.params,
            distributions={each.name: distribution_of(each) for each in assignment.box.ranges},
            user_attrs=own,
        )
        self._require_undeleted()
        try:
            return self._rdb.create_new_trial(self._study.id, trial)
        except KeyError as error:
            raise deleted(self._study) from error

    def _require_undeleted(self) -> None:
        with self._study.storage.engine.begin() as tx:
            require_undeleted(tx, self._study)

    @outlasting
    def report(self, trial_id: int, epoch: int, value: float) -> None:
        """Store a value from within the trial; raise `StaleClaim` if the trial has been told FAIL meanwhile."""
        self._require_undeleted()
        try:
            self._rdb.set_trial_intermediate_value(trial_id, epoch, float(value))
        except UpdateFinishedTrialError as error:
            raise StaleClaim(f"trial {trial_id} was given up: {error}") from error

    @outlasting
    def commit(self, trial_id: int, outcome: Ending) -> None:
        """Make the result count; raise `StaleClaim`, with no value stored, if the trial has been told FAIL."""
        state = TrialState.COMPLETE if isinstance(outcome, TrialOutcome) else TrialState.PRUNED
        try:
            if isinstance(outcome, Diverged):
                self._end(trial_id, state, {REASON: outcome.reason})
            elif isinstance(outcome, Pruned):
                own = {REASON: outcome.reason, PRUNED_AFTER: outcome.epochs, "seconds": outcome.seconds}
                self._end(trial_id, state, own)
            else:
                found = asdict(outcome)
                curve = [float(value) for value in found.pop("training_curve")]
                measured = {key: float(value) for key, value in found.items()}  # not NumPy's or TensorFlow's
                score = measured.pop("score")
                self._end(trial_id, state, measured | ({CURVE: curve} if curve else {}), score)
        except UpdateFinishedTrialError as error:
            if self._state(trial_id) is state:
                return  # nobody else ends it so: this very result was stored, and the connection lost with the answer
            raise StaleClaim(f"the result of trial {trial_id} came too late: {error}") from error

    @outlasting
    def fail(self, trial_id: int, reason: str) -> TrialState:
        """Tell a trial FAIL, and return the state it has now: what it had become before, if it was not running."""
        self._require_undeleted()
        with suppress(UpdateFinishedTrialError):
            self._rdb.set_trial_state_values(trial_id, TrialState.FAIL)
        state = self._state(trial_id)
        if state is TrialState.FAIL:  # and only then: what counts keeps its own reason, or none
            with self._study.storage.engine.begin() as tx:
                _explain(tx, trial_id, reason)
        return state

    @outlasting
    def running(self) -> list[RunningTrial]:
        """Return the running trials of slots; it looks through all trials, so it is not for every trial."""
        found = self._rdb.get_all_trials(self._study.id, deepcopy=False, states=(TrialState.RUNNING,))
        keys = ("stage", "slot", "token")
        return [
            RunningTrial(id_of(trial), *(trial.user_attrs[key] for key in keys))
            for trial in found
            if trial.user_attrs.keys() >= set(keys)  # else somebody else's, which belongs to no slot
        ]

    def _state(self, trial_id: int) -> TrialState:
        try:
            return self._rdb.get_trial(trial_id).state
        except KeyError as error:
            raise deleted(self._study) from error

    def _end(self, trial_id: int, state: TrialState, own: Mapping[str, Any], value: float | None = None) -> None:
        with self._study.storage.engine.begin() as tx:
            require_undeleted(tx, self._study)
            _describe(tx, trial_id, own)
        if not self._rdb.set_trial_state_values(trial_id, state, None if value is None else [value]):
            raise UpdateFinishedTrialError(f"trial {trial_id} is being ended by another process")


def forget_attempts(tx: Connection, study: Study, stages: Collection[int]) -> None:
    """Mark all trials of stages that are to be planned anew, so that they are no attempts at the new slots."""
    told = select(attributes.c.trial_id).where(attributes.c.key == FORGOTTEN)
    forgotten = (
        select(attributes.c.trial_id, literal(FORGOTTEN), literal("true"))
        .join(trials, trials.c.trial_id == attributes.c.trial_id)
        .where(trials.c.study_id == study.id, attributes.c.key == "stage")
        .where(attributes.c.value_json.in_(map(str, stages)), attributes.c.trial_id.not_in(told))
    )
    tx.execute(insert(attributes).from_select(["trial_id", "key", "value_json"], forgotten))


def _explain(tx: Connection, trial_id: int, reason: str) -> None:
    """Say why a trial failed, unless that has been said."""
    own = (attributes.c.trial_id == trial_id, attributes.c.key == REASON)
    tx.execute(select(trials.c.trial_id).where(trials.c.trial_id == trial_id).with_for_update())
    if tx.execute(select(attributes.c.key).where(*own)).first() is None:
        tx.execute(insert(attributes).values(trial_id=trial_id, key=REASON, value_json=json.dumps(reason)))


def _describe(tx: Connection, trial_id: int, own: Mapping[str, Any]) -> None:
    """Give a running trial attributes, all at once where Optuna takes a transaction each."""
    running = (trials.c.trial_id == trial_id, trials.c.state == TrialState.RUNNING)
    if tx.execute(select(trials.c.trial_id).where(*running).with_for_update()).first() is None:
        raise UpdateFinishedTrialError(f"trial {trial_id} has ended already")
    tx.execute(delete(attributes).where(attributes.c.trial_id == trial_id, attributes.c.key.in_(own)))
    rows = [{"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in own.items()]
    tx.execute(insert(attributes), rows)
