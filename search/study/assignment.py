"""What the trial of a slot is: its stage gives it, a worker carries it out."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from search.space.box import Box
from search.space.ranges import Value
from search.space.seeds import TrialSeeds
from search.study.variants import NONE_KEPT, Curve, Keeping

PruningRule: TypeAlias = Literal["median", "halving"]


@dataclass(frozen=True, slots=True)
class Pruning:
    """By which rule a trial may be ended early, and how many validation images its error of each epoch is taken on."""

    rule: PruningRule
    images: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one slot's trial is, the same at every attempt.

    `params` lie in `box`, which Optuna keeps beside them; `images` and `epochs` are the trial's budget. `curve` is what
    it keeps beside its result, `repeat` which of a variant's trials it is, from 0, `keeping` the networks it keeps.
    `pruning` is None where it always goes on to its last epoch.
    """

    params: dict[str, Value]
    box: Box
    seeds: TrialSeeds
    images: int
    epochs: int
    curve: Curve = "none"
    repeat: int = 0
    keeping: Keeping = NONE_KEPT
    pruning: Pruning | None = None

    @property
    def budget(self) -> dict[str, int]:
        """The trial's numbers that are no parameters, by name."""
        return {"images": self.images, "epochs": self.epochs}

    @property
    def options(self) -> dict[str, object]:
        """What the task is asked for besides, by name."""
        part = self.pruning.images if self.pruning else None
        return {"curve": self.curve, "keeping": self.keeping, "pruning_images": part}
