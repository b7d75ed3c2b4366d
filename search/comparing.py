"""Two studies side by side: their best trials, and the trials that both ran alike but for what differs."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.comparison import Difference, paired_bootstrap
from search.errors import SearchError
from search.ranking import RankedTrial, best_trials
from search.study import Study


@dataclass(frozen=True, slots=True)
class StudyComparison:
    """Two studies on one dataset: their names, how many of their trials have a value, and the best trial of each.

    `paired` compares validation errors over the trials that both ran with the same configuration on the same images,
    initial weights and order; None where fewer than two are such.
    """

    names: tuple[str, str]
    trials: tuple[int, int]
    best: tuple[RankedTrial, RankedTrial]
    paired: Difference | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name."""
        return {**asdict(self), "paired": self.paired.as_dict() if self.paired else None}


def compare_studies(first: Study, second: Study) -> StudyComparison:
    """Compare two studies; raises SearchError where they saw different datasets or one has no value yet."""
    if first.spec.dataset != second.spec.dataset:
        digests = f"{first.spec.dataset[:12]}… and {second.spec.dataset[:12]}…"
        raise SearchError(f"{first.name!r} and {second.name!r} saw different datasets ({digests}): not comparable")
    ours, theirs = (_ranked(study) for study in (first, second))
    return StudyComparison(
        (first.name, second.name), (len(ours), len(theirs)), (ours[0], theirs[0]), _paired(ours, theirs)
    )


def _ranked(study: Study) -> list[RankedTrial]:
    found = best_trials(study, sum(study.spec.trials))
    if not found:
        raise SearchError(f"the study {study.name!r} has no finished trial with a value yet; let the search go on")
    return found


def _paired(ours: list[RankedTrial], theirs: list[RankedTrial]) -> Difference | None:
    of_theirs = {_identity(trial): trial.validation_mae for trial in theirs}
    shared = [
        trial.validation_mae - of_theirs[_identity(trial)]
        for trial in sorted(ours, key=lambda trial: (trial.stage, trial.slot))
        if _identity(trial) in of_theirs
    ]
    return paired_bootstrap(np.array(shared)) if len(shared) > 1 else None


def _identity(trial: RankedTrial) -> tuple[Any, ...]:
    """Return what makes two trials of different studies a pair."""
    return (tuple(sorted(trial.params.items())), tuple(sorted(trial.seeds.items())))
