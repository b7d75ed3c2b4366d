"""The box of ranges that a stage samples from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from search.errors import SearchError
from search.space.ranges import Choices, IntegerRange, Range, Value, hull


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

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The lowest and highest value of each range of numbers, by name."""
        return {one.name: (one.low, one.high) for one in self.ranges if not isinstance(one, Choices)}

    def at(self, shares: Sequence[float]) -> dict[str, Value]:
        """Return the parameters at one share, 0 to 1, for each range: equal shares are equal places in any box."""
        return {each.name: each.at(share) for each, share in zip(self.ranges, shares, strict=True)}

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges))


def with_bounds(box: Box, bounds: Mapping[str, tuple[float, float]]) -> Box:
    """Return the box with other lowest and highest values of some ranges; everything else stays as it was.

    Raises SearchError for a name that it does not have, or one that has choices.
    """
    numbers = {searched.name: searched for searched in box.ranges if not isinstance(searched, Choices)}
    for name in bounds:
        if name not in numbers:
            raise SearchError(f"ranges has {name}, which is no range of numbers of the first box: {box}")
    return Box(tuple(_bounded(searched, bounds.get(searched.name)) for searched in box.ranges))


def _bounded(searched: Range, bounds: tuple[float, float] | None) -> Range:
    if bounds is None or isinstance(searched, Choices):
        return searched
    if not isinstance(searched, IntegerRange):
        return replace(searched, low=bounds[0], high=bounds[1])
    if not all(type(end) is int for end in bounds):
        raise SearchError(f"ranges has {searched.name} = {list(bounds)}, which takes whole numbers")
    return replace(searched, low=int(bounds[0]), high=int(bounds[1]))


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all of `boxes`, whose ranges have the same names and kinds in their order."""
    return Box(tuple(map(hull, zip(*(box.ranges for box in boxes), strict=True))))
