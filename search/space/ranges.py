"""What one parameter is sampled from: a range of numbers, or choices. Each turns a share, 0 to 1, into a value."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator

from search.errors import SearchError

Value: TypeAlias = int | float | str
"""The value of a parameter: a number, or one of the words that it may be."""


def text_of(value: object) -> str:
    """Return a value as people write it in a sentence."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class LogRange:
    """A named range of positive numbers, both ends included, in which their logarithms are uniform."""

    name: str
    low: float
    high: float
    kind: Literal["log"] = "log"

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

    def share(self, value: float) -> float:
        """Return how far from low to high a number is, 0 to 1: what `at` makes it of."""
        return math.log(value / self.low) / math.log(self.high / self.low)

    def holds(self, value: Value) -> bool:
        """Whether a value lies in it."""
        return not isinstance(value, str) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.name} [{self.low:g}, {self.high:g}]"


@dataclass(frozen=True, slots=True)
class LinearRange:
    """A named range of numbers, both ends included, in which they are uniform."""

    name: str
    low: float
    high: float
    kind: Literal["linear"] = "linear"

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise SearchError(
                f"the range {self.name} = [{self.low}, {self.high}] is not one: "
                "give two finite numbers, the smaller first"
            )

    def at(self, share: float) -> float:
        """Return the number `share` of the way from low to high, 0 to 1."""
        return min(max(self.low + share * (self.high - self.low), self.low), self.high)

    def share(self, value: float) -> float:
        """Return how far from low to high a number is, 0 to 1: what `at` makes it of."""
        return (value - self.low) / (self.high - self.low)

    def holds(self, value: Value) -> bool:
        """Whether a value lies in it."""
        return not isinstance(value, str) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.name} [{self.low:g}, {self.high:g}] linear"


@dataclass(frozen=True, slots=True)
class IntegerRange:
    """A named range of whole numbers, both ends included, each as likely as the other."""

    name: str
    low: int
    high: int
    kind: Literal["integer"] = "integer"

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise SearchError(
                f"the range {self.name} = [{self.low}, {self.high}] is not one: "
                "give two whole numbers, the smaller first"
            )

    def at(self, share: float) -> int:
        """Return the whole number `share` of the way from low to high, 0 to 1."""
        return min(self.low + int(share * (self.high - self.low + 1)), self.high)

    def share(self, value: float) -> float:
        """Return the middle of the shares, 0 to 1, that `at` makes this number of."""
        return (value - self.low + 0.5) / (self.high - self.low + 1)

    def holds(self, value: Value) -> bool:
        """Whether a value lies in it."""
        return type(value) is int and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.name} {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Choices:
    """A named list of values, each as likely as the other; one alone is a parameter that is fixed."""

    name: str
    values: tuple[Value, ...]
    kind: Literal["choices"] = "choices"

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) < len(self.values):
            raise SearchError(f"the choices {self.name} = {list(self.values)}: give at least one, and each once")

    def at(self, share: float) -> Value:
        """Return the value `share` of the way through the list, 0 to 1."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def holds(self, value: Value) -> bool:
        """Whether a value is among them."""
        return value in self.values

    def __str__(self) -> str:
        return f"{self.name} {' | '.join(map(str, self.values))}"


Range: TypeAlias = Annotated[LogRange | LinearRange | IntegerRange | Choices, Discriminator("kind")]


def hull(ranges: "tuple[Range, ...]") -> Range:
    """Return the smallest range that holds all of `ranges`, which are of one name and kind."""
    first = ranges[0]
    if isinstance(first, Choices):
        return first
    bounds = [(each.low, each.high) for each in ranges if not isinstance(each, Choices)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    if isinstance(first, IntegerRange):
        return IntegerRange(first.name, int(low), int(high))
    return type(first)(first.name, low, high)
