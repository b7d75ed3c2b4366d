"""Two studies side by side: their best trials, and the trials that both ran alike but for what differs."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from search.errors import SearchError
from search.results.blocks import paired_difference
from search.results.paired import Difference, paired_bootstrap
from search.results.ranking import RankedTrial, nothing_found, ranked_trials
from search.results.verdict import verdict
from search.study.assignment import Budget
from search.study.study import Study


@dataclass(frozen=True, slots=True)
class Chosen:
    """A study's best finalist: its parameters, its mean score with the standard error, its scores, and its budget.

    `measure` is what its scores are called. `draws` are the study's seed and the stage's number, which the seeds of the
    finalists' trials follow from.
    """

    params: dict[str, Any]
    mean: float
    standard_error: float
    scores: tuple[float, ...]
    budget: Budget
    measure: str
    draws: tuple[int, int]


@dataclass(frozen=True, slots=True)
class StudyComparison:
    """Two studies on one dataset: their names, how many of their trials have a value, and the best trial of each.

    `chosen` are their best finalists, None for a study that has none or none yet. `paired` compares validation errors
    over the trials that both ran with the same configuration with the same seeds; None where
    fewer than two are such, as where the budgets differ.
    """

    names: tuple[str, str]
    trials: tuple[int, int]
    best: tuple[RankedTrial, RankedTrial]
    chosen: tuple[Chosen | None, Chosen | None]
    paired: Difference | None

    @property
    def difference(self) -> tuple[float, float] | None:
        """The best finalists' difference, first minus second, and its standard error; None for different measures.

        Where both had the same seeds, they come in pairs, and what a seed does to both is no part of the error.
        """
        first, second = self.chosen
        if first is None or second is None or (first.budget, first.measure) != (second.budget, second.measure):
            return None
        if first.draws == second.draws and len(first.scores) == len(second.scores):
            return paired_difference(first.scores, second.scores)
        return first.mean - second.mean, math.hypot(first.standard_error, second.standard_error)

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name."""
        paired = self.paired.as_dict() if self.paired else None
        best = [trial.as_dict() for trial in self.best]
        return {**asdict(self), "best": best, "difference": self.difference, "paired": paired}


def compare_studies(first: Study, second: Study) -> StudyComparison:
    """Compare two searches; raises SearchError for an experiment, different datasets, or one without a value yet."""
    for study in (first, second):
        if study.spec.experiment is not None:
            raise SearchError(
                f"{study.name!r} is an experiment, whose variants 'agesearch report' compares; name two searches"
            )
    if difference := _other_files(first, second):
        raise SearchError(f"{first.name!r} and {second.name!r} {difference}: not comparable")
    ours, theirs = (_ranked(study) for study in (first, second))
    measure = first.spec.task.coloured_name
    return StudyComparison(
        names=(first.name, second.name),
        trials=(len(ours), len(theirs)),
        best=(ours[0], theirs[0]),
        chosen=(_chosen(first), _chosen(second)),
        paired=_paired(ours, theirs, measure) if first.spec.budget == second.spec.budget else None,
    )


def _other_files(first: Study, second: Study) -> str:
    """Say in what two studies differ that makes their scores different things; "" where they are alike."""
    ours, theirs = first.spec.task, second.spec.task
    if (ours.kind, ours.score.unit, ours.score.direction) != (theirs.kind, theirs.score.unit, theirs.score.direction):
        return f"have different tasks ({ours.kind}, {ours.score.label}; {theirs.kind}, {theirs.score.label})"
    if "data" in ours.files and ours.files["data"] != theirs.files["data"]:
        digests = (f"{task.files['data'].digest[:12]}…" for task in (ours, theirs))
        return f"saw different datasets ({' and '.join(digests)})"
    return ""


def _chosen(study: Study) -> Chosen | None:
    judged = verdict(study)
    best = judged.best if judged else None
    if judged is None or best is None or best.mean is None or best.standard_error is None:
        return None
    spec, scores = study.spec, tuple(score for score in best.scores if score is not None)
    draws = (spec.seed, len(spec.trials) + 1)
    return Chosen(best.params, best.mean, best.standard_error, scores, judged.budget, spec.task.score.name, draws)


def _ranked(study: Study) -> list[RankedTrial]:
    found = ranked_trials(study)
    if not found:
        raise SearchError(f"{nothing_found(study)}; 'agesearch status' shows how far it has got")
    return found


def _paired(ours: list[RankedTrial], theirs: list[RankedTrial], measure: str) -> Difference | None:
    of_theirs = {_identity(trial): trial.measure(measure) for trial in theirs}
    shared = [
        trial.measure(measure) - of_theirs[_identity(trial)]
        for trial in sorted(ours, key=lambda trial: (trial.stage, trial.slot))
        if _identity(trial) in of_theirs
    ]
    return paired_bootstrap(np.array(shared)) if len(shared) > 1 else None


def _identity(trial: RankedTrial) -> tuple[Any, ...]:
    """Return what makes two trials of different studies a pair."""
    return (tuple(sorted(trial.params.items())), tuple(sorted(trial.seeds.items())))
