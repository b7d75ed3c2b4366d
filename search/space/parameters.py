"""A parameter as tables show it and as a task limits it, and how a space is written in the settings."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.errors import SearchError
from search.space.pairs import pairs
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange, Range, Value

NO_LOGARITHM = "(0)"
"""What the column of a logarithm has for 0."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, its title in tables, and what it may be.

    Numbers go from `low` to `high` (None: without end), `whole` or not; `words` are what else it may be instead of
    numbers. `log` has tables show its logarithm.
    """

    name: str
    title: str
    low: float | None = 0.0
    high: float | None = None
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
        if not self.log or isinstance(value, str | bool):
            return value
        return math.log10(value) if value > 0 else NO_LOGARITHM

    def shown(self, value: Value) -> str:
        """Return a value as its column shows it."""
        found = self.in_table(value)
        return found if isinstance(found, str) else format(found, self.form)

    def allows(self, value: Value) -> bool:
        """Whether it may have a value."""
        if isinstance(value, str | bool) or self.words:
            return value in self.words
        low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
        return (type(value) is int or not self.whole) and math.isfinite(value) and low <= value <= high

    def expected(self) -> str:
        """Return in words what it may be."""
        if self.words:
            return " or ".join(self.words)
        kind = "whole numbers" if self.whole else "numbers"
        lowest = "" if self.low is None else f" from {self.low:g}"
        return kind + lowest + ("" if self.high is None else f" to {self.high:g}")


def parameter_for(searched: Range) -> Parameter:
    """Return a range's parameter as tables show it, where no task says more of it."""
    if isinstance(searched, Choices):
        return Parameter(searched.name, searched.name, whole=True)
    log = isinstance(searched, LogRange)
    return Parameter(searched.name, searched.name, low=None, log=log, whole=isinstance(searched, IntegerRange))


KINDS: dict[str, Callable[..., Range]] = {"integer": IntegerRange, "linear": LinearRange, "log": LogRange}
"""The kinds of ranges; log is also an option of whole numbers, so it comes last."""

OPTIONS = {"log": frozenset[str](), "linear": frozenset({"step"}), "integer": frozenset({"step", "log"})}


def read_space(given: object) -> tuple[Range, ...]:
    """Return the ranges that the setting `space` describes, a TOML table or the same as text; raise ValueError else.

    A table's values are {log = [1e-6, 1e-3]}, {linear = [0, 0.5]}, {integer = [8, 64]}, a list of choices, or one value
    that is fixed; linear and integer ranges take a step, as in {integer = [8, 64], step = 8}, and integer ones
    log = true. As text "learning_rate=log:1e-6:1e-3,batch_size=16|32,width=integer:8:64:8".
    """
    table = _from_text(given) if isinstance(given, str) else given
    if not isinstance(table, Mapping) or not table:
        raise ValueError("write a table, or text such as learning_rate=log:1e-6:1e-3,batch_size=16|32,dropout=0.2")
    return tuple(_read(str(name), what) for name, what in table.items())


def _from_text(text: str) -> dict[str, Any]:
    return {name: _from_word(what) for name, what in pairs(text).items()}


def _from_word(text: str) -> Any:
    kind, *bounds = text.split(":")
    if not bounds:
        return [number_or_word(word) for word in text.split("|")]
    *numbers, last = bounds if len(bounds) == 3 else (*bounds, "")
    table: dict[str, Any] = {kind: [number_or_word(number) for number in numbers]}
    if last:
        table |= {"log": True} if last == "log" else {"step": number_or_word(last)}
    return table


def number_or_word(text: str) -> Value:
    """Return a value as text gives it: a whole number, a number, true or false, or else the word itself."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def word_of(value: Value) -> str:
    """Return the text that `number_or_word` makes the same value of."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)


def written(searched: Range) -> str:
    """Return a range as the setting `space` takes it as text."""
    match searched:
        case Choices():
            return "|".join(map(word_of, searched.values))
        case IntegerRange(log=True):
            more = ":log"
        case IntegerRange() | LinearRange() if searched.step not in (None, 1):
            more = f":{searched.step!r}"
        case _:
            more = ""
    return f"{searched.kind}:{searched.low!r}:{searched.high!r}{more}"


def table_of(searched: Range) -> Any:
    """Return a range as the setting `space` takes it in a TOML table."""
    if isinstance(searched, Choices):
        return list(searched.values)
    table: dict[str, Any] = {searched.kind: [searched.low, searched.high]}
    if isinstance(searched, IntegerRange) and searched.log:
        table["log"] = True
    elif not isinstance(searched, LogRange) and searched.step not in (None, 1):
        table["step"] = searched.step
    return table


def _read(name: str, what: Any) -> Range:
    try:
        return _range(name, what)
    except SearchError as error:
        raise ValueError(str(error)) from error


def _range(name: str, what: Any) -> Range:
    if not isinstance(what, Mapping):
        values = what if isinstance(what, list | tuple) else [what]
        if not all(type(value) in (bool, int, float, str) for value in values):
            raise ValueError(f"{name} is {what!r}; choices are numbers, words, true or false")
        return Choices(name, tuple(values))
    kind = next((known for known in KINDS if known in what), "")
    more = {key: value for key, value in what.items() if key != kind}
    if not kind or not set(more) <= OPTIONS[kind]:
        raise ValueError(f"{name} is {what!r}; write one of log, linear or integer, with its lowest and highest value")
    return _bounded(name, kind, what[kind], more)


def _bounded(name: str, kind: str, bounds: Any, more: Mapping[str, Any]) -> Range:
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        raise ValueError(f"{name} is {kind} {bounds!r}; write {kind} with its lowest and highest value, as in [1, 9]")
    whole = kind == "integer"
    steps = [more["step"]] if "step" in more else []
    if not all(type(number) is int or (type(number) is float and not whole) for number in (*bounds, *steps)):
        raise ValueError(f"{name} is {[*bounds, *steps]!r}; {'whole numbers' if whole else 'numbers'} are expected")
    if not isinstance(more.get("log", False), bool):
        raise ValueError(f"{name} has log = {more['log']!r}; write true or false")  # noqa: TRY004 - as for pydantic
    return KINDS[kind](name, *bounds, **more)
