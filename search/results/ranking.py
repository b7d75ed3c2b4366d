"""The best trials, as the paper's Table II shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from model.quantity import decimal
from search.errors import SearchError
from search.space.parameters import PARAMETERS, Parameter, parameter_of
from search.space.ranges import Value
from search.storage.engines import unlocked
from search.storage.optuna_tables import id_of, trials
from search.storage.reading import read_trials
from search.study.finished import best_finished
from search.study.study import Study


@dataclass(frozen=True, slots=True)
class RankedTrial:
    """A finished trial: its place in the study, what it measured (in the labels' unit, and seconds), and what it was.

    `score` is what ranks it: the validation error, to which the recipe `paper` adds the penalty. `curve` is what it has
    reported epoch by epoch: the validation error where the study prunes, else that of training.
    """

    number: int
    stage: int
    slot: int
    score: float
    validation_mae: float
    training_mae: float
    penalty: float
    seconds: float
    images: int
    epochs: int
    params: dict[str, Value]
    seeds: dict[str, int]
    worker: str
    device: str
    curve: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the curve by name."""
        found = asdict(self)
        del found["curve"]
        return found


def best_trials(study: Study, count: int) -> list[RankedTrial]:
    """Return the best `count` finished trials of the sampled stages, the best first, ties in the order of slots."""
    with study.storage.engine.begin() as tx:
        found = best_finished(tx, study.name, len(study.spec.trials), count)
    return [_ranked(study.storage.rdb.get_trial(trial_id)) for trial_id, _ in found]


def ranked_trials(study: Study) -> list[RankedTrial]:
    """Return all finished trials of the sampled stages that have a value, in the order of `best_trials`."""
    return [_ranked(trial) for trial in counted_trials(study)]


def counted_trials(study: Study) -> list[FrozenTrial]:
    """Return the same as Optuna has them."""
    complete = (trials.c.study_id == study.id, trials.c.state == TrialState.COMPLETE)
    with unlocked(study.storage.engine) as tx:  # ten thousand take seconds
        found = best_finished(tx, study.name, len(study.spec.trials))
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
    return _ranked(found)


def nothing_found(study: Study) -> str:
    """Say that a study has no result yet, or never will have one."""
    return f"the study {study.name!r} has no finished trial with a value"


def best_score(study: Study) -> float | None:
    """Return the best score of a sampled trial so far; None before any trial has finished with a value."""
    with study.storage.engine.begin() as tx:
        found = best_finished(tx, study.name, len(study.spec.trials), 1)
    return found[0][1] if found else None


def table(trials: Sequence[RankedTrial]) -> list[tuple[str, ...]]:
    """Return Table II, the heading first: score and training error, learning rate and L2 as log10."""
    ranked_by = "validation MAE" if all(trial.score == trial.validation_mae for trial in trials) else "MAE + penalty"
    varied = parameters_of([trial.params for trial in trials])
    heading = ("trial", "stage", ranked_by, "training MAE", *(each.heading for each in varied))
    best = min((trial.score for trial in trials), default=None)
    return [heading, *(_row(trial, varied, best) for trial in trials)]


def parameters_of(configurations: Sequence[Mapping[str, Value]]) -> list[Parameter]:
    """Return all parameters that there are in the order in which they are always shown."""
    names = dict.fromkeys(name for params in configurations for name in params)
    known = [each for each in PARAMETERS.values() if each.name in names]
    return [*known, *(parameter_of(name) for name in names if name not in PARAMETERS)]


def _row(trial: RankedTrial, varied: Sequence[Parameter], like: float | None) -> tuple[str, ...]:
    errors = (decimal(each, like=like) for each in (trial.score, trial.training_mae))
    measured = (str(trial.number), str(trial.stage), *errors)
    return (*measured, *(each.shown(trial.params[each.name]) if each.name in trial.params else "-" for each in varied))


def _ranked(trial: FrozenTrial) -> RankedTrial:
    own, reported = trial.user_attrs, trial.intermediate_values
    return RankedTrial(
        number=trial.number,
        stage=own["stage"],
        slot=own["slot"],
        score=trial.values[0],
        validation_mae=own["validation_mae"],
        training_mae=own["training_mae"],
        penalty=own["penalty"],
        seconds=own["seconds"],
        images=own["images"],
        epochs=own["epochs"],
        params=dict(trial.params),
        seeds=own["seeds"],
        worker=own["worker"],
        device=own["device"],
        curve=tuple(reported[epoch] for epoch in sorted(reported)),
    )
