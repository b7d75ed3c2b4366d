"""Pruning: whether a trial is worth its next epoch, by its errors so far and those of its stage's other trials.

Optuna's pruners compare a trial with all others of the study. Here it is with those of its own stage, as the box of a
later one is better, and only with trials of slots: attempts that failed or were lost do not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from model.quantity import decimal
from search.storage.optuna_tables import reports, values
from search.storage.patience import outlasting
from search.storage.tables import CLAIMED, FINISHED, slots
from search.study.assignment import PruningRule
from search.study.claims import Claim
from search.study.study import Study

STARTUP: Final = 5
"""Trials of the stage that must have come to their end before the median says anything, as in Optuna."""

FACTOR: Final = 2
"""Of the trials that reach a rung, epochs 1, 2, 4, 8 and so on, one in so many goes on."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """What the other trials of a stage had as error after the same epoch; `whole` are those that came to their end."""

    whole: tuple[float, ...]
    others: tuple[float, ...] = ()


@outlasting
def why_pruned(study: Study, claim: Claim, rule: PruningRule, errors: Mapping[int, float]) -> str:
    """Say why the claim's trial, whose `errors` by epoch so far are given, is to end here; "" where it is to go on."""
    with study.storage.engine.begin() as tx:
        rivals = _rivals(tx, claim, max(errors))
    return (by_median if rule == "median" else by_halving)(errors, rivals)


def by_median(errors: Mapping[int, float], rivals: Rivals) -> str:
    """Prune a trial whose best error so far is above the median of the whole trials' after the same epoch."""
    best, epoch, count = min(errors.values()), max(errors), len(rivals.whole)
    if count < STARTUP or best <= (middle := median(rivals.whole)):
        return ""
    found = f"its best error up to epoch {epoch}, {decimal(best)},"
    return f"{found} is above {decimal(middle)}, the median of {count} whole trials"


def by_halving(errors: Mapping[int, float], rivals: Rivals) -> str:
    """Prune a trial that is not among the better half of all that have reached its rung, itself included.

    This is the asynchronous form (Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020): nobody is
    waited for, and early trials are judged by few.
    """
    epoch = max(errors)
    if epoch & (epoch - 1):  # no power of two
        return ""
    reached = sorted((*rivals.whole, *rivals.others, errors[epoch]))
    place, kept = reached.index(errors[epoch]) + 1, max(1, len(reached) // FACTOR)
    if place <= kept:
        return ""
    error = decimal(errors[epoch])
    return f"its error after epoch {epoch}, {error}, is number {place} of {len(reached)}; {kept} may go on"


def _rivals(tx: Connection, claim: Claim, epoch: int) -> Rivals:
    query = (
        select(reports.c.intermediate_value, values.c.value)
        .join(slots, slots.c.trial_id == reports.c.trial_id)
        .outerjoin(values, values.c.trial_id == reports.c.trial_id)
        .where(slots.c.study == claim.study, slots.c.stage == claim.stage, slots.c.slot != claim.slot)
        .where(slots.c.state.in_((CLAIMED, FINISHED)), reports.c.step == epoch)
        .where(reports.c.intermediate_value.is_not(None))  # else it was no number
    )
    found = [(row.intermediate_value, row.value is not None) for row in tx.execute(query)]
    return Rivals(tuple(error for error, whole in found if whole), tuple(error for error, whole in found if not whole))
