"""The best trials, and the table that shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from search.counting import decimal
from search.errors import SearchError
from search.space.parameters import Parameter
from search.space.ranges import Value
from search.storage.engines import unlocked
from search.storage.optuna_tables import id_of, trials
from search.storage.reading import read_trials
from search.study.finished import best_finished
from search.study.spec import RESERVED
from search.study.study import Study


@dataclass(frozen=True, slots=True)
class RankedTrial:
    """A finished trial: its place in the study, what it measured, and what it was.

    `score` is what ranks it, `measures` what else was measured, by name, and `seconds` how long it took. `curve` is
    what it has reported step by step.
    """

    number: int
    stage: int
    slot: int
    score: float
    measures: dict[str, Any]
    seconds: float
    budget: dict[str, int | float]
    params: dict[str, Value]
    seeds: dict[str, int]
    worker: str
    device: str
    curve: tuple[float, ...]

    def measure(self, name: str) -> float:
        """Return a measure that is one number, or the score for ""."""
        return float(self.measures[name]) if name else self.score

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the curve by name."""
        found = asdict(self)
        del found["curve"]
        return found


def best_trials(study: Study, count: int) -> list[RankedTrial]:
    """Return the best `count` finished trials of the sampled stages, the best first, ties in the order of slots."""
    with study.storage.engine.begin() as tx:
        found = best_finished(tx, study, count)
    return [_ranked(study, study.storage.rdb.get_trial(trial_id)) for trial_id, _ in found]


def ranked_trials(study: Study) -> list[RankedTrial]:
    """Return all finished trials of the sampled stages that have a value, in the order of `best_trials`."""
    return [_ranked(study, trial) for trial in counted_trials(study)]


def counted_trials(study: Study) -> list[FrozenTrial]:
    """Return the same as Optuna has them."""
    complete = (trials.c.study_id == study.id, trials.c.state == TrialState.COMPLETE)
    with unlocked(study.storage.engine) as tx:  # ten thousand take seconds
        found = best_finished(tx, study)
        by_id = {id_of(trial): trial for trial in read_trials(tx, *complete)}
    return [by_id[trial_id] for trial_id, _ in found]


def trial_numbered(study: Study, number: int) -> RankedTrial:
    """Return the finished trial that has `number` in Optuna; raises SearchError where that has no value, or is none."""
    rdb = study.storage.rdb
    try:
        found = rdb.get_trial(rdb.get_trial_id_from_study_id_trial_number(study.id, number))
    except KeyError as error:
        raise SearchError(f"the study {study.name!r} has no trial {number}; name another") from error
    if not found.user_attrs.keys() >= {"stage", "slot"}:
        raise SearchError(f"trial {number} of the study {study.name!r} was not made by its workers; name another")
    if found.state is not TrialState.COMPLETE:
        raise SearchError(f"trial {number} of the study {study.name!r} has not finished with a value; name another")
    return _ranked(study, found)


def nothing_found(study: Study) -> str:
    """Say that a study has no result yet, or never will have one."""
    return f"the study {study.name!r} has no finished trial with a value"


def best_score(study: Study) -> float | None:
    """Return the best score of a sampled trial so far; None before any trial has finished with a value."""
    with study.storage.engine.begin() as tx:
        found = best_finished(tx, study, 1)
    return found[0][1] if found else None


def table(study: Study, trials: Sequence[RankedTrial]) -> list[tuple[str, ...]]:
    """Return the table of some trials, the heading first: score, the task's measures, parameters."""
    task = study.spec.task
    varied = parameters_of(study, [trial.params for trial in trials])
    titles = (task.score.name, *(measured.title for measured in task.measures))
    heading = ("trial", "stage", *titles, *(parameter.heading for parameter in varied))
    like = trials[0].score if trials else None
    return [heading, *(_row(study, trial, varied, like) for trial in trials)]


def parameters_of(study: Study, configurations: Sequence[Mapping[str, Value]]) -> list[Parameter]:
    """Return all parameters that there are in the order in which they are always shown."""
    names = dict.fromkeys(name for params in configurations for name in params)
    task, box = study.spec.task, {searched.name: searched for searched in study.spec.box.ranges}
    known = [parameter for parameter in task.parameters if parameter.name in names]
    others = [name for name in (*box, *names) if name in names and task.parameter_named(name) is None]
    return [*known, *(task.parameter_of(box[name]) if name in box else _plain(name) for name in dict.fromkeys(others))]


def _plain(name: str) -> Parameter:
    return Parameter(name, name.replace("_", " "), whole=True)


def _row(study: Study, trial: RankedTrial, varied: Sequence[Parameter], like: float | None) -> tuple[str, ...]:
    found = (trial.score, *(trial.measure(measured.name) for measured in study.spec.task.measures))
    cells = (str(trial.number), str(trial.stage), *(decimal(number, like=like) for number in found))
    return (*cells, *(one.shown(trial.params[one.name]) if one.name in trial.params else "-" for one in varied))


def _ranked(study: Study, trial: FrozenTrial) -> RankedTrial:
    own, reported, budget = trial.user_attrs, trial.intermediate_values, study.spec.budget
    return RankedTrial(
        number=trial.number,
        stage=own["stage"],
        slot=own["slot"],
        score=trial.values[0],
        measures={name: value for name, value in own.items() if name not in RESERVED and name not in budget},
        seconds=own["seconds"],
        budget={name: own[name] for name in budget},
        params=dict(trial.params),
        seeds=own["seeds"],
        worker=own["worker"],
        device=own["device"],
        curve=tuple(reported[step] for step in sorted(reported)),
    )
