"""The parameters that a search may vary, what each may be, and how a space is written in the settings."""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.errors import SearchError
from search.space.box import FIRST_BOX, Box
from search.space.pairs import pairs
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange, Range, Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, its title in tables, and what it may be.

    Numbers go from `low` to `high`, `whole` or not; `words` are what else it may be instead of numbers. `log` has
    tables show its logarithm.
    """

    name: str
    title: str
    low: float = 0.0
    high: float = math.inf
    whole: bool = False
    words: tuple[str, ...] = ()
    log: bool = False

    @property
    def heading(self) -> str:
        """The title of its column."""
        return f"log10({self.title})" if self.log else self.title

    @property
    def form(self) -> str:
        """How the numbers of its column are shown, as in ".3f"; "" for as they are."""
        return ".3f" if self.log else "" if self.whole or self.words else ".3g"

    def in_table(self, value: Value) -> Value:
        """Return a value as its column has it, with all digits."""
        if not self.log or isinstance(value, str):
            return value
        return math.log10(value) if value > 0 else -math.inf

    def shown(self, value: Value) -> str:
        """Return a value as its column shows it."""
        found = self.in_table(value)
        return found if isinstance(found, str) else format(found, self.form)

    def allows(self, value: Value) -> bool:
        """Whether it may have a value."""
        if isinstance(value, str) or self.words:
            return value in self.words
        return (type(value) is int or not self.whole) and math.isfinite(value) and self.low <= value <= self.high

    def expected(self) -> str:
        """Return in words what it may be."""
        if self.words:
            return " or ".join(self.words)
        kind = "whole numbers" if self.whole else "numbers"
        return f"{kind} from {self.low:g}" + ("" if self.high == math.inf else f" to {self.high:g}")


PARAMETERS = {
    each.name: each
    for each in (
        Parameter("learning_rate", "learning rate", low=math.ulp(0.0), log=True),
        Parameter("l2", "L2", log=True),
        Parameter("dropout", "dropout", high=0.99),
        Parameter("batch_size", "batch size", low=1, high=2**31 - 1, whole=True),
        Parameter("batch_norm", "batch norm", words=("convolutions", "blocks", "dense", "none")),
        Parameter("initializer", "initializer", words=("xavier", "gaussian")),
        Parameter("width", "width", low=1, high=2**15, whole=True),
        Parameter("augmentation", "augmentation", high=2.0),
    )
}
"""In the order of a trial's draws, which is part of every study's results."""


def parameter_of(name: str) -> Parameter:
    """Return the parameter of that name; one that this list does not know has its values shown as they are."""
    return PARAMETERS.get(name) or Parameter(name, name.replace("_", " "), whole=True)


def name_of(name: str) -> str:
    """Return a parameter's name as people write it."""
    return parameter_of(name).title


def box_of(space: Mapping[str, Range]) -> Box:
    """Return the first box of a study: learning rate and L2 in the paper's ranges unless `space` has others."""
    known = {each.name: each for each in FIRST_BOX.ranges}
    ranges = {**known, **space}
    return Box(tuple(ranges[name] for name in PARAMETERS if name in ranges))


def read_space(given: object) -> tuple[Range, ...]:
    """Return the ranges that the setting `space` describes, a TOML table or the same as text; raise ValueError else.

    A table's values are {log = [1e-6, 1e-3]}, {linear = [0, 0.5]}, {integer = [8, 64]}, a list of choices, or one value
    that is fixed; as text "learning_rate=log:1e-6:1e-3,batch_size=16|32,width=32".
    """
    table = _from_text(given) if isinstance(given, str) else given
    if not isinstance(table, Mapping) or not table:
        raise ValueError("write a table, or text such as learning_rate=log:1e-6:1e-3,batch_size=16|32,dropout=0.2")
    return tuple(_read(str(name), what) for name, what in table.items())


def _from_text(text: str) -> dict[str, Any]:
    return {name: _from_word(what) for name, what in pairs(text).items()}


def _from_word(text: str) -> Any:
    kind, *bounds = text.split(":")
    if bounds:
        return {kind: [number_or_word(each) for each in bounds]}
    return [number_or_word(each) for each in text.split("|")]


def number_or_word(text: str) -> Value:
    """Return a value as text gives it: a whole number, a number, or else the word itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _read(name: str, what: Any) -> Range:
    if name not in PARAMETERS:
        near = difflib.get_close_matches(name, PARAMETERS, n=1)
        raise ValueError(
            f"{name} cannot be searched{f'; did you mean {near[0]}' if near else ''}; known are {', '.join(PARAMETERS)}"
        )
    try:
        found = _range(name, what)
    except SearchError as error:
        raise ValueError(str(error)) from error
    parameter = PARAMETERS[name]
    ends = found.values if isinstance(found, Choices) else (found.low, found.high)
    if not all(map(parameter.allows, ends)):
        raise ValueError(f"{found} is not allowed: {name} takes {parameter.expected()}")
    return found


def _range(name: str, what: Any) -> Range:
    if not isinstance(what, Mapping):
        values = what if isinstance(what, list | tuple) else [what]
        if not all(type(each) in (int, float, str) for each in values):
            raise ValueError(f"{name} is {what!r}; choices are numbers or words")
        return Choices(name, tuple(values))
    kind, bounds = next(iter(what.items())) if len(what) == 1 else ("", None)
    kinds: dict[str, Callable[..., Range]] = {"log": LogRange, "linear": LinearRange, "integer": IntegerRange}
    if kind not in kinds or not isinstance(bounds, list | tuple) or len(bounds) != 2:
        raise ValueError(f"{name} is {what!r}; write one of log, linear or integer, with its lowest and highest value")
    whole = kind == "integer"
    if not all(type(each) is int or (type(each) is float and not whole) for each in bounds):
        raise ValueError(f"{name} is {what!r}; {'whole numbers' if whole else 'numbers'} are expected")
    return kinds[kind](name, *bounds)
