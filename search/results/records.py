"""All trials of a study as plain records: finished, running, and failed ones."""

import math
from dataclasses import dataclass
from typing import Any, Final

from optuna.trial import FrozenTrial, TrialState

from search.counting import decimal
from search.results.ranking import parameters_of
from search.space.ranges import Value
from search.storage.engines import unlocked
from search.storage.optuna_tables import trials
from search.storage.reading import read_trials
from search.study.spec import RESERVED
from search.study.study import Study
from search.study.trials import PRUNED_AFTER, REASON

STATES: Final = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "diverged",
    TrialState.FAIL: "failed",
}
"""What a trial's state is called; a pruned one has an attribute of its own, and all others are running."""


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial: its state, its place, what it was, and what it came to; None is what it does not have.

    `seed` is what a program is given. `reported` has what it reported, by step. `seconds` is how long it took.
    """

    number: int
    state: str
    stage: int | None
    slot: int | None
    params: dict[str, Value]
    value: float | None
    measures: dict[str, Any]
    seed: int | None
    seconds: float | None
    reported: dict[int, float | None]
    reason: str | None


def trial_records(study: Study) -> list[TrialRecord]:
    """Return all trials of a study in the order of their numbers."""
    with unlocked(study.storage.engine) as tx:
        found = read_trials(tx, trials.c.study_id == study.id)
    return [_record(study, trial) for trial in found]


def table(study: Study, records: list[TrialRecord]) -> list[tuple[str, ...]]:
    """Return the table of some trials, the heading first."""
    varied = parameters_of(study, [record.params for record in records])
    heading = ("trial", "state", "stage", "slot", study.spec.task.score.name, "seconds")
    like = next((record.value for record in records if record.value is not None), None)
    rows = [
        (
            *(str(record.number), record.state, _or_dash(record.stage), _or_dash(record.slot)),
            "-" if record.value is None else decimal(record.value, like=like),
            "-" if record.seconds is None else f"{record.seconds:.2f}",
            *(one.shown(record.params[one.name]) if one.name in record.params else "-" for one in varied),
        )
        for record in records
    ]
    return [(*heading, *(one.heading for one in varied)), *rows]


def _record(study: Study, trial: FrozenTrial) -> TrialRecord:
    own, budget = trial.user_attrs, study.spec.budget
    names = [name for name in own if name not in RESERVED and name not in budget]
    return TrialRecord(
        number=trial.number,
        state="pruned" if PRUNED_AFTER in own else STATES.get(trial.state, "running"),
        stage=own.get("stage"),
        slot=own.get("slot"),
        params=dict(trial.params),
        value=trial.values[0] if trial.values else None,
        measures={name: own[name] for name in names},
        seed=own.get("seeds", {}).get("weights"),
        seconds=own.get("seconds"),
        reported={step: value if math.isfinite(value) else None for step, value in trial.intermediate_values.items()},
        reason=own.get(REASON),
    )


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
