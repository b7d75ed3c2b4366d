"""What a fit of a program reads of the file that `export` wrote: parameters, program, budget."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search.errors import SearchError
from search.space.ranges import Value
from search.space.score import MINIMIZED, Score
from search.study.spec import StudySpec
from search.tasks.program.specifying import MAIN

TABLE: Final = "program"
"""The table that makes an exported file one of a program."""


class Origin(BaseModel):
    """The program that the search ran: its file or its command, and the digests of all that decides its results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = None
    command: str | None = None
    python: str | None = None
    watch: str | None = None
    threads: Annotated[int, Field(gt=0)] | None = None
    files: dict[str, str] = {}


class _Document(BaseModel):
    """The file, of which the other tables are for people alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    hyperparameters: dict[str, bool | int | float | str]
    program: Origin
    budget: dict[str, int | float] = {}
    score: Score = MINIMIZED
    trial: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A program's best configuration: its parameters, the budget of a trial, the program, its value's name and unit.

    `number` is that of the trial which found it.
    """

    params: Mapping[str, Value]
    budget: Mapping[str, int | float]
    origin: Origin
    score: Score
    number: int


def read(document: Mapping[str, Any], path: Path) -> Configuration:
    """Return what an exported file says; raises SearchError, which names the place, for a wrong value."""
    try:
        found = _Document.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SearchError(f"the configuration {path} has a wrong {place}: {first['msg'].lower()}") from error
    if (found.program.path is None) is (found.program.command is None):
        raise SearchError(f"the configuration {path} must have one of path and command in [{TABLE}]")
    number = found.trial.get("number", 0)
    number = number if type(number) is int else 0
    return Configuration(found.hyperparameters, found.budget, found.program, found.score, number)


def tables_of(spec: StudySpec) -> dict[str, Any]:
    """Return the tables that the file has of the task."""
    task, names = spec.task, ("command", "python", "watch", "threads")
    own: dict[str, Any] = {name: value for name in names if (value := task.settings.get(name)) is not None}
    if MAIN in task.files:
        own["path"] = task.files[MAIN].name
    files = {name: file.digest for name, file in task.files.items()}
    return {TABLE: {**own, "files": files}, "budget": dict(spec.budget)}
