"""The box of ranges that a stage samples from."""

from collections.abc import Sequence
from dataclasses import dataclass

from search.errors import SearchError
from search.space.ranges import LogRange, Range, Value, hull

__all__ = ["FIRST_BOX", "Box", "LogRange", "around"]


@dataclass(frozen=True, slots=True)
class Box:
    """The ranges of a stage; their order is the order of the draws, so a new range goes to the end."""

    ranges: tuple[Range, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self.ranges]
        if not names or len(set(names)) < len(names):
            raise SearchError(f"the ranges {names} are not a box: give at least one, and each name once")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the ranges, in their order."""
        return tuple(each.name for each in self.ranges)

    def at(self, shares: Sequence[float]) -> dict[str, Value]:
        """Return the parameters at one share, 0 to 1, for each range: equal shares are equal places in any box."""
        return {each.name: each.at(share) for each, share in zip(self.ranges, shares, strict=True)}

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges))


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all of `boxes`, whose ranges have the same names and kinds in their order."""
    return Box(tuple(map(hull, zip(*(box.ranges for box in boxes), strict=True))))


FIRST_BOX = Box((LogRange("learning_rate", 1e-6, 1e-3), LogRange("l2", 1e-6, 1e1)))
"""The ranges of the paper's first stage (its section on learning rate and L2)."""
