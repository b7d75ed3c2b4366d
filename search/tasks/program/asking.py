"""What a program asks for by its `suggest_*` calls, and the [space] that this makes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search.space.box import Box
from search.space.parameters import read_space, table_of
from search.space.ranges import Choices, Range, Value
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.messages import Message


@dataclass(slots=True)
class Asked:
    """The ranges that one trial has asked for, by name; and how many seconds its objective took, if it says so."""

    ranges: dict[str, Range] = field(default_factory=dict)
    otherwise: set[str] = field(default_factory=set)
    seconds: float | None = None

    def take(self, message: Message) -> None:
        """Take in a message; raise ProgramFailure for a range that no space can have."""
        name = message.text("name")
        try:
            (found,) = read_space({name: _settled(message.says.get("range"))})
        except ValueError as error:
            raise ProgramFailure(f"the program asked for what no [space] can have: {error}") from error
        if self.ranges.setdefault(name, found) != found:
            self.otherwise.add(name)

    def add(self, other: "Asked", params: Mapping[str, Value]) -> list[dict[str, Value]]:
        """Take in what another trial, with these choices, has asked for.

        Returns the choices of trials that may ask for more: each other one of what nobody has asked for before.
        """
        self.otherwise |= other.otherwise
        waiting = []
        for name, found in other.ranges.items():
            if name not in self.ranges and isinstance(found, Choices):
                waiting += [{**params, name: value} for value in found.values[1:]]
            if self.ranges.setdefault(name, found) != found:
                self.otherwise.add(name)
        return waiting


def space_text(box: Box) -> str:
    """Return the table [space] of a settings file that has those ranges."""
    lines = [f"{_key(searched.name)} = {_written(table_of(searched))}" for searched in box.ranges]
    return "\n".join(["[space]", *lines])


def _settled(asked: Any) -> Any:
    """Return a range of numbers with one number in it as that number, which is fixed."""
    if isinstance(asked, dict):
        for kind in ("log", "linear", "integer"):
            bounds = asked.get(kind)
            if isinstance(bounds, list) and len(bounds) == 2 and bounds[0] == bounds[1]:
                return bounds[0]
    return asked


def _written(value: Any) -> str:
    """Return a value of TOML within a line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_written(own)}" for name, own in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value) if isinstance(value, bool | str) else repr(value)


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").replace("-", "a").isalnum()
    return name if plain else json.dumps(name)
