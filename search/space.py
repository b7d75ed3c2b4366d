"""The box of ranges that a stage samples from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from search.errors import SearchError


@dataclass(frozen=True, slots=True)
class LogRange:
    """A named range of positive numbers, both ends included, in which their logarithms are uniform."""

    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise SearchError(
                f"the range {self.name} = [{self.low}, {self.high}] is not one: "
                "give two finite numbers above 0, the smaller first"
            )

    def at(self, share: float) -> float:
        """Return the number `share` of the way from low to high, 0 to 1, in the logarithm."""
        bottom, top = math.log(self.low), math.log(self.high)
        # exp(log(x)) is not always x, and a bound overstepped by a rounding is a trial that Optuna refuses.
        return min(max(math.exp(bottom + share * (top - bottom)), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.name} [{self.low:g}, {self.high:g}]"


@dataclass(frozen=True, slots=True)
class Box:
    """The ranges of a stage; their order is the order of the draws, so a new range goes to the end."""

    ranges: tuple[LogRange, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self.ranges]
        if not names or len(set(names)) < len(names):
            raise SearchError(f"the ranges {names} are not a box: give at least one, and each name once")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the ranges, in their order."""
        return tuple(each.name for each in self.ranges)

    def at(self, shares: Sequence[float]) -> dict[str, float]:
        """Return the parameters at one share, 0 to 1, for each range: equal shares are equal places in any box."""
        return {each.name: each.at(share) for each, share in zip(self.ranges, shares, strict=True)}

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges))


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all of `boxes`, which have the same names in the same order."""
    columns = zip(*(box.ranges for box in boxes), strict=True)
    return Box(tuple(LogRange(c[0].name, min(r.low for r in c), max(r.high for r in c)) for c in columns))


FIRST_BOX = Box((LogRange("learning_rate", 1e-6, 1e-3), LogRange("l2", 1e-6, 1e1)))
"""The ranges of the paper's first stage (its section on learning rate and L2)."""
