"""The verdict on the finalists: the mean of each over the seeds, and which cannot be told from the best.

All finalists are trained with the same seeds, so a seed that is easy or hard for all of them takes no part in their
differences: the repeats are blocks, and the noise is pooled over all finalists (`search.results.blocks`); a pair alone
would leave 2 degrees of freedom at three repeats. A finalist is tied with the best where their means differ by no more
than the least significant difference at 95 %. With two finalists that is the paired t-interval. It is for one
comparison; the best was picked among n, so that some of the ties that it denies may still be luck.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from search.counting import decimal
from search.results.blocks import noise
from search.results.ranking import parameters_of
from search.space.ranges import Value
from search.space.score import Score
from search.study.assignment import Budget
from search.study.finished import finished_trials
from search.study.plans import Finalists
from search.study.slots import Slots
from search.study.stages import list_stages
from search.study.study import Study

RULE = (
    "the best mean over the same seeds for all; a finalist is tied with it if it is behind by no more "
    "than the least significant difference at 95 %, with the noise pooled over the finalists and their seeds as blocks"
)


@dataclass(frozen=True, slots=True)
class Finalist:
    """A configuration after its repeats: `scores` in their order (None: diverged, or closed as failed).

    `search_score` is what its trials in the search had scored, `trials` are their numbers. `mean` and `standard_error`
    are None where a score is missing; such a finalist cannot be chosen. `behind` is the difference of its mean to the
    best one's, `behind_error` that difference's standard error, and `tied` whether it may be luck.
    """

    params: dict[str, Value]
    trials: tuple[int, ...]
    search_score: float
    scores: tuple[float | None, ...]
    mean: float | None = None
    standard_error: float | None = None
    behind: float | None = None
    behind_error: float | None = None
    tied: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The finalists, the best mean first and those without one last, and the budget of each of their trials."""

    finalists: tuple[Finalist, ...]
    repeats: int
    budget: Budget
    rule: str = RULE

    @property
    def best(self) -> Finalist | None:
        """The chosen one; None where every finalist lacks a score."""
        return self.finalists[0] if self.finalists and self.finalists[0].mean is not None else None

    @property
    def chosen(self) -> int | None:
        """The number of the trial whose configuration is the chosen one; the first of several."""
        return self.best.trials[0] if self.best else None

    @property
    def sentence(self) -> str:
        """Which trial is chosen, and why."""
        if self.chosen is None:
            return "the best single trial, as no finalist ended with a score for every seed"
        return f"trial {self.chosen}, which has {self.rule}"


def verdict(study: Study) -> Verdict | None:
    """Return the verdict on a study's finalists; None before the last of their trials has ended, or without any."""
    for stage in list_stages(study):
        if isinstance(stage.plan, Finalists) and not Slots(study).counts(stage.number).open:
            plan = stage.plan
            return Verdict(_judged(_tried(study, stage.number, plan), study.spec.task.score), plan.repeats, plan.budget)
    return None


def table(study: Study, judged: Verdict) -> list[tuple[str, ...]]:
    """Return the finalists of a study as a table, the heading first: scores, then parameters."""
    varied = parameters_of(study, [one.params for one in judged.finalists])
    columns = ("finalist of trial", "mean", "± s.e.", "behind the best", "tied", "in the search")
    rows = (
        (*_row(one, judged.best), *(each.shown(one.params[each.name]) for each in varied)) for one in judged.finalists
    )
    return [(*columns, *(each.heading for each in varied)), *rows]


def _row(one: Finalist, best: Finalist | None) -> tuple[str, ...]:
    """Return a finalist's cells, its errors in the decimals of the best mean."""
    like = best.mean if best else None
    trials = ",".join(map(str, one.trials))
    found = decimal(one.search_score, like=like)
    if one.mean is None or one.standard_error is None or one.behind is None or one.behind_error is None:
        missing = sum(score is None for score in one.scores)
        return (trials, "-", "-", f"{missing} of {len(one.scores)} without a score", "-", found)
    mean, error, behind, around = (
        decimal(each, like=like) for each in (one.mean, one.standard_error, one.behind, one.behind_error)
    )
    tied = "-" if one is best else "yes" if one.tied else "no"
    return (trials, mean, error, "the best" if one is best else f"{behind} ± {around}", tied, found)


def _tried(study: Study, stage: int, plan: Finalists) -> list[Finalist]:
    with study.storage.engine.begin() as tx:
        values = {plan.place(trial.slot): trial.value for trial in finished_trials(tx, study.name, stage)}
    return [
        Finalist(each.params, each.trials, each.score, tuple(values.get((place, r)) for r in range(plan.repeats)))
        for place, each in enumerate(plan.candidates)
    ]


def _judged(tried: Sequence[Finalist], score: Score) -> tuple[Finalist, ...]:
    """Fill in the means and differences, and bring the finalists in the order of their means."""
    whole = [each for each in tried if None not in each.scores]
    rest = tuple(each for each in tried if None in each.scores)
    if not whole:
        return rest
    scores = np.array([each.scores for each in whole], np.float64)
    means, errors = scores.mean(axis=1), scores.std(axis=1, ddof=1) / math.sqrt(scores.shape[1])
    difference_error, limit = noise(scores)
    losses = np.array([score.loss(mean) for mean in means])
    behind = losses - losses.min()
    judged = (
        replace(
            whole[place],
            mean=float(means[place]),
            standard_error=float(errors[place]),
            behind=float(behind[place]),
            behind_error=difference_error,
            tied=bool(behind[place] <= limit),
        )
        for place in np.argsort(losses, kind="stable")
    )
    return (*judged, *rest)
