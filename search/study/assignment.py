"""What the trial of a slot is: its stage gives it, a worker carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from search.space.box import Box
from search.space.ranges import Value
from search.space.seeds import TrialSeeds

PruningRule: TypeAlias = Literal["median", "halving"]
"""By which rule a trial may be ended early."""

Budget: TypeAlias = Mapping[str, int | float]
"""A trial's numbers that are no parameters, by name; what it costs goes by their product."""

Options: TypeAlias = Mapping[str, bool | int | float | str | list[int]]
"""What a plan asks of a task besides, by name; the task alone knows what they mean."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one slot's trial is, the same at every attempt.

    `params` lie in `box`, which Optuna keeps next to them. `repeat` is which of a variant's trials it is, from 0.
    `pruning` is None where the trial always goes on to its end.
    """

    params: dict[str, Value]
    box: Box
    seeds: TrialSeeds
    budget: Budget
    repeat: int = 0
    options: Options = field(default_factory=dict)
    pruning: PruningRule | None = None


def cost_of(budget: Budget) -> float:
    """Return what a trial of that budget costs, in proportion."""
    cost = 1.0
    for number in budget.values():
        cost *= number
    return cost
