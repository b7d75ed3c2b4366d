"""A study's trials as Optuna keeps them: the one place that writes to them.

A trial's change from RUNNING to COMPLETE or PRUNED is the moment at which its result counts. Optuna lets it happen
once, whatever else happens, so a trial that has been told FAIL can never come back with a result.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final

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
from search.study.trial import Diverged, Ending, Measure, Outcome, Pruned

REASON: Final = "reason"
"""The attribute that says why a trial has no value."""

PRUNED_AFTER: Final = "pruned_after"
"""The attribute with the number of steps after which a trial was pruned."""

FORGOTTEN: Final = "forgotten"
"""The attribute of an attempt at a stage that was forgotten: the slot is another one's now, if there is one."""


_PLACE: Final = ("stage", "slot", "attempt", "token", "worker", "device", "repeat", "seeds")
_OWN: Final = frozenset((*_PLACE, "seconds", REASON, PRUNED_AFTER, FORGOTTEN))
"""The attributes of every trial, whose names no measure may have."""


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
            **assignment.budget,
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

    @outlasting
    def number(self, trial_id: int) -> int:
        """Return the number of a trial within the study."""
        return self._rdb.get_trial_number_from_id(trial_id)

    def _require_undeleted(self) -> None:
        with self._study.storage.engine.begin() as tx:
            require_undeleted(tx, self._study)

    @outlasting
    def report(self, trial_id: int, step: int, value: float) -> None:
        """Store a value from within the trial; raise `StaleClaim` if the trial has been told FAIL meanwhile."""
        self._require_undeleted()
        try:
            self._rdb.set_trial_intermediate_value(trial_id, step, float(value))
        except UpdateFinishedTrialError as error:
            raise StaleClaim(f"trial {trial_id} was given up: {error}") from error

    @outlasting
    def commit(self, trial_id: int, ending: Ending, seconds: float) -> None:
        """Make the result count, after so many seconds; raise `StaleClaim`, with no value stored, if told FAIL."""
        state = TrialState.COMPLETE if isinstance(ending, Outcome) else TrialState.PRUNED
        score = float(ending.score) if isinstance(ending, Outcome) else None
        try:
            self._end(trial_id, state, _attributes(ending, seconds), score)
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


def require_own_names(measures: Mapping[str, Measure], budget: Mapping[str, float]) -> None:
    """Raise ValueError for a measure with the name of something else that is kept of a trial."""
    if taken := sorted(measures.keys() & (_OWN | budget.keys())):
        raise ValueError(f"the measure {taken[0]!r} has a name that is taken; call it otherwise")


def _attributes(ending: Ending, seconds: float) -> dict[str, Any]:
    """Return what is kept of an ending by name; its numbers may be NumPy's or TensorFlow's."""
    if isinstance(ending, Diverged):
        return {REASON: ending.reason}
    if isinstance(ending, Pruned):
        return {REASON: ending.reason, PRUNED_AFTER: ending.steps, "seconds": seconds}
    return {name: _plain(measure) for name, measure in ending.measures.items()} | {"seconds": seconds}


def _plain(measure: Measure) -> float | list[float]:
    return list(map(float, measure)) if isinstance(measure, tuple) else float(measure)


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
