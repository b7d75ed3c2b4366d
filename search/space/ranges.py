"""What one parameter is sampled from: a range of numbers, or choices. Each turns a share, 0 to 1, into a value."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias, TypeGuard

from pydantic import Discriminator

from search.errors import SearchError

Value: TypeAlias = bool | int | float | str
"""The value of a parameter: a number, a word, or true or false."""


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
        return _is_number(value) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.name} [{self.low:g}, {self.high:g}]"


@dataclass(frozen=True, slots=True)
class LinearRange:
    """A named range of numbers, both ends included, all as likely; with `step`, they go in steps from the lowest."""

    name: str
    low: float
    high: float
    step: float | None = None
    kind: Literal["linear"] = "linear"

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise SearchError(
                f"the range {self.name} = [{self.low}, {self.high}] is not one: "
                "give two finite numbers, the smaller first"
            )
        if self.step is not None:
            _require_steps(self.name, self.low, self.high, self.step)

    @property
    def marks(self) -> int:
        """How many values it has, where it has steps."""
        return 1 + round((self.high - self.low) / self.step) if self.step else 0

    def at(self, share: float) -> float:
        """Return the number `share` of the way from low to high, 0 to 1."""
        if self.step:
            return min(self.low + self.step * int(share * self.marks), self.high)
        return min(max(self.low + share * (self.high - self.low), self.low), self.high)

    def share(self, value: float) -> float:
        """Return how far from low to high a number is, 0 to 1: what `at` makes it of."""
        if self.step:
            return (round((value - self.low) / self.step) + 0.5) / self.marks
        return (value - self.low) / (self.high - self.low)

    def holds(self, value: Value) -> bool:
        """Whether a value lies in it."""
        return _is_number(value) and self.low <= value <= self.high and _on_mark(value, self.low, self.step)

    def __str__(self) -> str:
        return f"{self.name} [{self.low:g}, {self.high:g}] linear{_steps(self.step)}"


@dataclass(frozen=True, slots=True)
class IntegerRange:
    """A named range of whole numbers, both ends included, each as likely as the other.

    With `step`, they go in steps from the lowest. With `log`, their logarithms are uniform, and steps are of 1.
    """

    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False
    kind: Literal["integer"] = "integer"

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise SearchError(
                f"the range {self.name} = [{self.low}, {self.high}] is not one: "
                "give two whole numbers, the smaller first"
            )
        if self.log and (self.low < 1 or self.step != 1):
            raise SearchError(
                f"the range {self.name} = [{self.low}, {self.high}] cannot be logarithmic: "
                "give whole numbers from 1, and no step"
            )
        _require_steps(self.name, self.low, self.high, self.step)

    @property
    def marks(self) -> int:
        """How many values it has."""
        return 1 + (self.high - self.low) // self.step

    def at(self, share: float) -> int:
        """Return the whole number `share` of the way from low to high, 0 to 1."""
        if self.log:  # each has the room from half a number below it to half a number above, as in Optuna
            bottom, top = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return min(max(round(math.exp(bottom + share * (top - bottom))), self.low), self.high)
        return min(self.low + self.step * int(share * self.marks), self.high)

    def share(self, value: float) -> float:
        """Return the middle of the shares, 0 to 1, that `at` makes this number of."""
        if self.log:
            return math.log(value / (self.low - 0.5)) / math.log((self.high + 0.5) / (self.low - 0.5))
        return ((value - self.low) // self.step + 0.5) / self.marks

    def holds(self, value: Value) -> bool:
        """Whether a value lies in it."""
        return type(value) is int and self.low <= value <= self.high and (value - self.low) % self.step == 0

    def __str__(self) -> str:
        kind = " logarithmic" if self.log else _steps(self.step if self.step > 1 else None)
        return f"{self.name} {self.low} to {self.high}{kind}"


@dataclass(frozen=True, slots=True)
class Choices:
    """A named list of values, each as likely as the other; one alone is a parameter that is fixed."""

    name: str
    values: tuple[Value, ...]
    kind: Literal["choices"] = "choices"

    def __post_init__(self) -> None:
        if not self.values or len({_kind_and(value) for value in self.values}) < len(self.values):
            raise SearchError(f"the choices {self.name} = {list(self.values)}: give at least one, and each once")

    def at(self, share: float) -> Value:
        """Return the value `share` of the way through the list, 0 to 1."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def holds(self, value: Value) -> bool:
        """Whether a value is among them."""
        return _kind_and(value) in map(_kind_and, self.values)

    def __str__(self) -> str:
        return f"{self.name} {' | '.join(map(str, self.values))}"


Range: TypeAlias = Annotated[LogRange | LinearRange | IntegerRange | Choices, Discriminator("kind")]


def hull(ranges: "tuple[Range, ...]") -> Range:
    """Return the smallest range that holds all of `ranges`, which are of one name and kind."""
    first = ranges[0]
    if isinstance(first, Choices):
        return first
    bounds = [(one.low, one.high) for one in ranges if not isinstance(one, Choices)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    if isinstance(first, IntegerRange):
        return replace(first, low=int(low), high=int(high))
    return replace(first, low=low, high=high)


def _is_number(value: Value) -> TypeGuard[int | float]:
    return type(value) in (int, float)


def _kind_and(value: Value) -> tuple[bool, Value]:
    """Return a value with whether it is true or false, so that true is not 1."""
    return isinstance(value, bool), value


def _on_mark(value: float, low: float, step: float | None) -> bool:
    return step is None or math.isclose((value - low) / step, round((value - low) / step), abs_tol=1e-9)


def _steps(step: float | None) -> str:
    return "" if step is None else f" in steps of {step:g}"


def _require_steps(name: str, low: float, high: float, step: float) -> None:
    if not (step > 0 and _on_mark(high, low, step)):
        raise SearchError(
            f"the range {name} = [{low}, {high}] does not go in steps of {step}: "
            "give a step above 0 that leads from the lowest to the highest"
        )
