"""What a study keeps of its task: which one it is, what ranks its trials, and everything that decides their results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from search.space.parameters import Parameter, parameter_for
from search.space.ranges import Range, Value
from search.space.score import MINIMIZED, Score

Setting: TypeAlias = bool | int | float | str | None
"""A setting of a task, as its study keeps it."""


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file that decides a study's results: what it is called in commands, its SHA-256, and its text if it is kept."""

    name: str
    digest: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure that tables show next to the score: its name among a trial's measures, and its title."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Words:
    """What the task's numbers are, for the study's page: the score, and what is reported on the way to it."""

    score: str
    reported: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """A task as a frozen value: `kind` names its folder in `search/tasks`.

    `settings` and `files`, both by the settings' names, are what decides its results. `parameters` are those that the
    task knows more of than their ranges say. `measures` are shown in tables next to the score; `coloured` is the one
    that figures show in its place; None for the score itself.
    """

    kind: str
    words: Words
    score: Score = MINIMIZED
    settings: Mapping[str, Setting] = field(default_factory=dict)
    files: Mapping[str, TaskFile] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    measures: tuple[Measured, ...] = ()
    coloured: Measured | None = None

    @property
    def measure_label(self) -> str:
        """What the measure that figures show is called, with its unit."""
        return self.score.labelled(self.coloured.title if self.coloured else self.score.name)

    @property
    def coloured_name(self) -> str:
        """That measure's name; "" for the score itself."""
        return self.coloured.name if self.coloured else ""

    def parameter_of(self, searched: Range) -> Parameter:
        """Return what tables show of a parameter."""
        return self.parameter_named(searched.name) or parameter_for(searched)

    def parameter_named(self, name: str) -> Parameter | None:
        """Return what the task says of a parameter, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def title_of(self, name: str) -> str:
        """Return a parameter's name as people write it."""
        known = self.parameter_named(name)
        return known.title if known else name

    def shown(self, name: str, value: Value) -> str:
        """Return a parameter's value as its column shows it."""
        known = self.parameter_named(name)
        return known.shown(value) if known else str(value)
