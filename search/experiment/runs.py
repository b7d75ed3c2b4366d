"""What the trials of an experiment came to, by variant."""

from collections.abc import Mapping
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from search.storage.artifacts import artifacts_of
from search.storage.optuna_tables import id_of
from search.study.finished import best_finished
from search.study.study import Study
from search.study.trials import CURVE
from search.study.variants import VARIANT, Curve


@dataclass(frozen=True, slots=True)
class Run:
    """A finished trial of a variant: which repeat, what it measured, and its errors epoch by epoch.

    `training` is () where the trial was to keep none, and `validation` where it did not validate on the way. `files`
    are the ids of its artifacts by their names.
    """

    repeat: int
    score: float
    validation_mae: float
    training_mae: float
    penalty: float
    seconds: float
    training: tuple[float, ...]
    validation: tuple[float, ...]
    files: Mapping[str, str]


def runs_of(study: Study) -> dict[str, list[Run]]:
    """Return the finished trials with a value of an experiment's study, by variant and in the order of the repeats."""
    experiment = study.spec.experiment
    if experiment is None:
        raise ValueError(f"the study {study.name!r} is no experiment")
    curves = {variant.name: variant.curve for variant in experiment.variants}
    runs: dict[str, list[Run]] = {name: [] for name in curves}
    with study.storage.engine.begin() as tx:
        ours = {trial_id for trial_id, _ in best_finished(tx, study.name, len(study.spec.trials))}
    for trial in study.storage.rdb.get_all_trials(study.id, deepcopy=False, states=(TrialState.COMPLETE,)):
        if id_of(trial) in ours:
            name = trial.params[VARIANT]
            runs[name].append(_run(trial, curves[name]))
    return {name: sorted(found, key=lambda run: run.repeat) for name, found in runs.items()}


def _run(trial: FrozenTrial, curve: Curve) -> Run:
    own, reported = trial.user_attrs, trial.intermediate_values
    return Run(
        repeat=own["repeat"],
        score=trial.values[0],
        validation_mae=own["validation_mae"],
        training_mae=own["training_mae"],
        penalty=own["penalty"],
        seconds=own["seconds"],
        training=tuple(own.get(CURVE, ())),
        validation=tuple(reported[epoch] for epoch in sorted(reported)) if curve == "validation" else (),
        files=artifacts_of(trial.system_attrs),
    )
