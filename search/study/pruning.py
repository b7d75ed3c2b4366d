"""Pruning: whether a trial is worth its next step, by its errors so far and those of its stage's other trials.

Optuna's pruners compare a trial with all others of the study. Here it is with those of its own stage, as the box of a
later one is better, and only with trials of slots: attempts that failed or were lost do not count.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from search.counting import decimal
from search.space.score import MINIMIZED, Score
from search.storage.optuna_tables import reports, values
from search.storage.retry import retry_interrupted
from search.storage.tables import CLAIMED, FAILED, FINISHED, slots
from search.study.assignment import PruningRule
from search.study.claims import Claim
from search.study.study import Study

STARTUP: Final = 5
"""Trials that must have come as far before a rule says anything: fewer are noise. For the median as in Optuna."""

FACTOR: Final = 2
"""Of the trials that reach a rung, steps 1, 2, 4, 8 and so on, one in so many goes on."""

LEAST_WHOLE: Final = 5
"""As many trials of a stage, or a third if that is more, are never pruned: narrowing and finalists need them."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """What the other trials of a stage had as loss after the same step; `whole` are those that came to their end.

    The stage has so many `slots`, of whose other trials `pruned` have no value, as they were ended early, diverged or
    failed, and `running` have not ended.
    """

    whole: tuple[float, ...]
    others: tuple[float, ...] = ()
    slots: int = 0
    pruned: int = 0
    running: int = 0

    @property
    def spare_one(self) -> bool:
        """Whether enough trials come to their end without one more, though all that run were pruned."""
        return self.slots - self.pruned - self.running > least_whole(self.slots)


@retry_interrupted
def why_pruned(study: Study, claim: Claim, rule: PruningRule, reported: Mapping[int, float]) -> str:
    """Say why the claim's trial, which has `reported` values by step, is to end here; "" if it is to go on."""
    score, step = study.spec.task.score, max(reported)
    if rule == "halving" and not _is_rung(step):
        return ""
    with study.storage.engine.begin() as tx:
        rivals = _rivals(tx, study, claim, step)
        if len(rivals.whole) + len(rivals.others) + 1 >= STARTUP:  # else no rule says anything
            rivals = _with_counts(tx, claim, rivals)
    losses = {step: math.inf if math.isnan(value) else score.loss(value) for step, value in reported.items()}
    return (by_median if rule == "median" else by_halving)(losses, rivals, score)


def by_median(losses: Mapping[int, float], rivals: Rivals, score: Score = MINIMIZED) -> str:
    """Prune a trial whose best loss so far is above the median of the whole trials' after the same step.

    As many trials as `least_whole` says come to their end.
    """
    best, step, count = min(losses.values()), max(losses), len(rivals.whole)
    if count < STARTUP or best <= (middle := median(rivals.whole)) or not rivals.spare_one:
        return ""
    found = f"its best value up to step {step}, {decimal(score.loss(best))},"
    return f"{found} is worse than {decimal(score.loss(middle))}, the median of {count} whole trials"


def by_halving(losses: Mapping[int, float], rivals: Rivals, score: Score = MINIMIZED) -> str:
    """Prune a trial that is not among the better half of all that have reached its rung, itself included.

    This is the asynchronous form (Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020), with two
    rules more: a rung says nothing before `STARTUP` trials have reached it, and as many trials as `least_whole` says
    come to their end. That holds in any order and with any number of workers, as those that run count as pruned.
    """
    step = max(losses)
    if not _is_rung(step):
        return ""
    reached = sorted((*rivals.whole, *rivals.others, losses[step]))
    place, kept = reached.index(losses[step]) + 1, max(1, len(reached) // FACTOR)
    if place <= kept or len(reached) < STARTUP or not rivals.spare_one:
        return ""
    value = decimal(score.loss(losses[step]))
    return f"its value after step {step}, {value}, is number {place} of {len(reached)}; {kept} may go on"


def _is_rung(step: int) -> bool:
    return not step & (step - 1)  # a power of two


def least_whole(slots: int) -> int:
    """Return how many trials of a stage of so many slots come to their end whatever they report."""
    return min(slots, max(LEAST_WHOLE, -(-slots // 3)))


def _rivals(tx: Connection, study: Study, claim: Claim, step: int) -> Rivals:
    of_stage = (slots.c.study == study.name, slots.c.stage == claim.stage)
    query = (
        select(reports.c.intermediate_value, values.c.value)
        .join(slots, slots.c.trial_id == reports.c.trial_id)
        .outerjoin(values, values.c.trial_id == reports.c.trial_id)
        .where(*of_stage, slots.c.slot != claim.slot, slots.c.state.in_((CLAIMED, FINISHED)), reports.c.step == step)
        .where(reports.c.intermediate_value.is_not(None))  # else it was no number
    )
    loss = study.spec.task.score.loss
    found = [(loss(row.intermediate_value), row.value is not None) for row in tx.execute(query)]
    return Rivals(
        tuple(value for value, whole in found if whole),
        tuple(value for value, whole in found if not whole),
    )


def _with_counts(tx: Connection, claim: Claim, rivals: Rivals) -> Rivals:
    """Fill in how many slots the stage has, and how many of the other trials have no value or run."""
    query = (
        select(slots.c.state, func.count(), func.count(values.c.value))
        .outerjoin(values, values.c.trial_id == slots.c.trial_id)
        .where(slots.c.study == claim.study, slots.c.stage == claim.stage)
        .group_by(slots.c.state)
    )
    counts = {state: (count, whole) for state, count, whole in tx.execute(query)}
    ended = [counts.get(state, (0, 0)) for state in (FINISHED, FAILED)]
    return replace(
        rivals,
        slots=sum(count for count, _ in counts.values()),
        pruned=sum(count - whole for count, whole in ended),
        running=max(0, counts.get(CLAIMED, (1, 0))[0] - 1),
    )
