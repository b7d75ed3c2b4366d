"""What a user's program is: how it is started, which files decide its results, and what a trial of it may use."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from search.errors import SearchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that is kept from trial to trial (`path`), or a `command` that is a process for each trial.

    `path` is a Python file, which `python` runs, or any other executable file; it speaks the protocol of
    docs/program.md. `command` is a command line with placeholders, as in "sh train.sh {lr}". `watch` names what else
    decides the results: files, folders, or patterns such as "*.py". `folder` is where it runs, and what its paths are
    relative to. A trial may take `minutes`, and each of its processes `memory` GiB of its own; `threads` is how many
    its libraries are asked to use. None is no limit.
    """

    path: Path | None = None
    command: str | None = None
    python: str = sys.executable
    watch: tuple[str, ...] = ()
    folder: Path = Path()
    minutes: float | None = None
    memory: float | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if (self.path is None) is (self.command is None):
            raise SearchError(
                f"the program is {self.path} and the command {self.command!r}: give one of the two, and one only"
            )
        for name in ("minutes", "memory", "threads"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise SearchError(f"{name} = {limit} is no limit for a program; give a number above 0, or leave it out")

    def words(self) -> list[str]:
        """Return the command line of a program that is kept.

        Raises SearchError if there is no such file, or nothing that could run it.
        """
        path = self.folder.absolute() / (self.path or "")
        if not path.is_file():
            raise SearchError(f"the program {path} is not a file; give a Python file, or another that can be run")
        if path.suffix == ".py":
            return [self.found(self.python, "python"), str(path)]
        if not os.access(path, os.X_OK):
            raise SearchError(f"the program {path} cannot be run; name it .py if it is Python, else: chmod +x {path}")
        return [str(path)]

    def found(self, program: str, setting: str) -> str:
        """Return the path of an executable by its name; raise SearchError, which names the `setting`, for none."""
        at = str(self.folder.absolute() / program) if "/" in program else program
        found = shutil.which(at)
        if found is None:
            raise SearchError(f"{setting}: {program} is not a program that can be run here; give its path")
        return found
