"""Configurations that the user wants tried: the first slots of the first stage have them, within its budget."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from search.errors import SearchError
from search.space.box import Box
from search.space.pairs import pairs
from search.space.parameters import number_or_word, word_of
from search.space.ranges import Choices, IntegerRange, Range, Value

Wanted: TypeAlias = tuple[tuple[str, Value], ...]
"""Some parameters of a configuration with their values; the others are those that the slot would have drawn."""


def read_enqueued(given: object) -> tuple[Wanted, ...]:
    """Return what the setting `enqueue` names, by tables or text as in "lr=1e-4,l2=1e-4;lr=1e-3".

    Raises ValueError for anything else.
    """
    tables = [_from_text(each) for each in given.split(";") if each.strip()] if isinstance(given, str) else given
    if not isinstance(tables, list | tuple) or not tables or not all(isinstance(each, Mapping) for each in tables):
        raise ValueError("write configurations as in lr=1e-4,l2=1e-4;lr=1e-3, or a list of tables")
    return tuple(map(_read, tables))


def require_in(box: Box, wanted: tuple[Wanted, ...], slots: int) -> None:
    """Raise SearchError for more configurations than slots, or one that the box does not hold."""
    if len(wanted) > slots:
        raise SearchError(f"{len(wanted)} configurations are enqueued, but the first stage has {slots} trials")
    ranges = {each.name: each for each in box.ranges}
    for name, value in (pair for each in wanted for pair in each):
        if name not in ranges:
            raise SearchError(f"{name} = {value} is enqueued, but not searched; the study searches {', '.join(ranges)}")
        if not ranges[name].holds(value):
            raise SearchError(f"{name} = {value} is enqueued, but {_why_not(ranges[name], value)}")


def _why_not(one: Range, value: Value) -> str:
    if not isinstance(one, Choices) and isinstance(value, str):
        return f"{one} takes numbers"
    if isinstance(one, IntegerRange) and type(value) is not int:
        return f"{one} takes whole numbers, which have no decimal point"
    return f"lies outside {one}; widen the range"


def in_terms_of(box: Box, wanted: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """Return the same in the box's order, with its own choices in the place of what equals them: 16 for 16.0."""
    order = {name: place for place, name in enumerate(box.names)}
    choices = {
        (one.name, isinstance(value, bool), value): value
        for one in box.ranges
        if isinstance(one, Choices)
        for value in one.values
    }
    return tuple(
        tuple(
            (name, choices.get((name, isinstance(value, bool), value), value))
            for name, value in sorted(pairs_of_one, key=lambda pair: order.get(pair[0], len(order)))
        )
        for pairs_of_one in wanted
    )


def written(wanted: tuple[Wanted, ...]) -> str:
    """Return the text that `read_enqueued` makes the same of."""
    return ";".join(",".join(f"{name}={word_of(value)}" for name, value in pairs_of_one) for pairs_of_one in wanted)


def _from_text(text: str) -> dict[str, Any]:
    return {name: number_or_word(value) for name, value in pairs(text).items()}


def _read(table: Mapping[str, Any]) -> Wanted:
    for name, value in table.items():
        if type(value) not in (bool, int, float, str):
            raise ValueError(f"{name} is {value!r}; it must be a number, a word, true or false")
    return tuple((str(name), value) for name, value in table.items())
