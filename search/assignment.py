"""What the trial of a slot is: its stage gives it, a worker carries it out."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from search.ranges import Value
from search.seeds import TrialSeeds
from search.space import Box

Role: TypeAlias = Literal["sampled", "finalist"]
"""What a trial is for: to look for a good configuration, or to look at one of the best again."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one slot's trial is, the same at every attempt.

    `params` lie in `box`, which Optuna keeps beside them; `images` and `epochs` are the trial's budget.
    """

    role: Role
    params: dict[str, Value]
    box: Box
    seeds: TrialSeeds
    images: int
    epochs: int
