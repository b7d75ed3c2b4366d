"""What the trials of an experiment came to, by variant."""

from collections.abc import Mapping
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from search.results.ranking import counted_trials
from search.storage.artifacts import artifacts_of
from search.study.study import Study
from search.study.variants import VARIANT
from search.tasks.images.options import TRAINING_CURVE, Curve, curve_of


@dataclass(frozen=True, slots=True)
class Run:
    """A finished trial of a variant: which repeat, its score, and its errors epoch by epoch.

    `training` is () where the trial was to keep none, and `validation` where it did not validate on the way. `files`
    are the ids of its artifacts by their names.
    """

    repeat: int
    score: float
    training: tuple[float, ...]
    validation: tuple[float, ...]
    files: Mapping[str, str]


def runs_of(study: Study) -> dict[str, list[Run]]:
    """Return the finished trials with a value of an experiment's study, by variant and in the order of the repeats."""
    experiment = study.spec.experiment
    if experiment is None:
        raise ValueError(f"the study {study.name!r} is not an experiment")
    curves = {variant.name: curve_of(variant.options) for variant in experiment.variants}
    runs: dict[str, list[Run]] = {name: [] for name in curves}
    for trial in counted_trials(study):
        name = trial.params[VARIANT]
        runs[name].append(_run(trial, curves[name]))
    return {name: sorted(found, key=lambda run: run.repeat) for name, found in runs.items()}


def _run(trial: FrozenTrial, curve: Curve) -> Run:
    own, reported = trial.user_attrs, trial.intermediate_values
    return Run(
        repeat=own["repeat"],
        score=trial.values[0],
        training=tuple(own.get(TRAINING_CURVE, ())),
        validation=tuple(reported[epoch] for epoch in sorted(reported)) if curve == "validation" else (),
        files=artifacts_of(trial.system_attrs),
    )
