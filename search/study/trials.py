"""What is kept of a slot's trial, and under which names; where a trial ends, it ends once.

Its change from RUNNING to COMPLETE or PRUNED is part of the transaction that closes its slot, so that neither is ever
there without the other.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final

from optuna.trial import TrialState
from sqlalchemy.engine import Connection

from search.storage.optuna_rows import add_attributes, add_reports, add_system_attributes, end_trial
from search.study.assignment import Assignment
from search.study.trial import Diverged, Ending, Measure, Outcome, Pruned

REASON: Final = "reason"
"""The attribute that says why a trial has no value."""

PRUNED_AFTER: Final = "pruned_after"
"""The attribute with the number of steps after which a trial was pruned."""

_PLACE: Final = ("stage", "slot", "attempt", "token", "worker", "device", "repeat", "seeds")
_OWN: Final = frozenset((*_PLACE, "seconds", REASON, PRUNED_AFTER))
"""The attributes of every trial, whose names no measure may have."""


NO_REPORTS: Final[Mapping[int, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Result:
    """How a trial ended, after how many seconds, and what is stored with it.

    `reports` are the values on the way that are not stored yet, by step, `artifacts` the system attributes that name
    the trial's files.
    """

    ending: Ending
    seconds: float
    reports: Mapping[int, float] = field(default_factory=lambda: NO_REPORTS)
    artifacts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def origin(assignment: Assignment | None) -> dict[str, Any]:
    """Return the attributes of a trial that follow from what it is."""
    if assignment is None:
        return {}
    return {**assignment.budget, "repeat": assignment.repeat, "seeds": asdict(assignment.seeds)}


def finish(tx: Connection, trial_id: int, result: Result) -> bool:
    """End a running trial with its result, and return whether it was running."""
    ending = result.ending
    state = TrialState.COMPLETE if isinstance(ending, Outcome) else TrialState.PRUNED
    score = float(ending.score) if isinstance(ending, Outcome) else None
    if not end_trial(tx, trial_id, state, score):
        return False
    add_reports(tx, trial_id, result.reports)
    add_attributes(tx, trial_id, _attributes(ending, result.seconds))
    add_system_attributes(tx, trial_id, result.artifacts)
    return True


def fail(tx: Connection, trial_id: int, reason: str, reports: Mapping[int, float] = NO_REPORTS) -> None:
    """End a trial as failed; one that has ended already keeps what it came to, and its own reason or none."""
    if end_trial(tx, trial_id, TrialState.FAIL):
        add_reports(tx, trial_id, reports)
        add_attributes(tx, trial_id, {REASON: reason})


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
