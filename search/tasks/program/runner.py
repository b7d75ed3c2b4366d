"""Runs the trials of a user's program for one worker."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import BinaryIO, Self

from search.errors import SearchError
from search.study.trial import Ending, Trial
from search.tasks.program.command import CommandProgram
from search.tasks.program.digests import digests, require_unchanged
from search.tasks.program.environment import environment_of
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.kept import KeptProgram
from search.tasks.program.output import Output
from search.tasks.program.placeholders import words_of
from search.tasks.program.program import Program


class ProgramRunner:
    """Calls a program for one trial after another, and leaves no process of it behind.

    What it writes goes to `log`, by default this process's stderr. `expected` are the digests of its files; without
    them, they are those of now. The processes see what this one sees of GPUs (`CUDA_VISIBLE_DEVICES`).
    """

    def __init__(
        self, program: Program, log: BinaryIO | None = None, expected: Mapping[str, str] | None = None
    ) -> None:
        self._program, self._expected = program, expected
        self._folder: Path | None = None
        self._output = Output(log or sys.stderr.buffer)
        kind = CommandProgram if program.path is None else KeptProgram
        self._way: CommandProgram | KeptProgram = kind(program, environment_of(program, os.environ), self._output)

    def __enter__(self) -> Self:
        """Raise SearchError if the program cannot be run, or its files are not those of `expected`."""
        if not self._program.folder.is_dir():
            raise SearchError(f"the program's folder {self._program.folder} does not exist; give the one it runs in")
        if self._program.path is None:
            self._program.found(words_of(str(self._program.command))[0], "command")
        else:
            self._program.words()
        self._expected = digests(self._program) if self._expected is None else self._expected
        require_unchanged(self._program, self._expected)
        return self

    def __exit__(self, *_: object) -> None:
        self._way.close()
        self._output.end()
        self._remove_folder()

    def __call__(self, trial: Trial) -> Ending:
        """Run a trial.

        Raises ProgramFailure, with the program's last lines, for a failed attempt, after which the next trial gets a
        new process; TrialStopped if `trial.should_stop()` said so; and SearchError if the program's files have changed.
        """
        if self._way.starts_anew:
            require_unchanged(self._program, self._expected or {})
        self._output.begin()
        try:
            return self._way.run(trial, str((trial.folder or self._empty_folder()).absolute()))
        except ProgramFailure as error:
            raise ProgramFailure(error.reason, self._output.last()) from error
        finally:
            self._output.end()

    def _empty_folder(self) -> Path:
        """Return a folder for a trial that has none, which keeps nothing; making one a trial would cost more."""
        if self._folder is None or not self._folder.is_dir() or any(self._folder.iterdir()):
            self._remove_folder()
            self._folder = Path(mkdtemp(prefix="agesearch-trial-"))
        return self._folder

    def _remove_folder(self) -> None:
        if self._folder is not None:
            rmtree(self._folder, ignore_errors=True)
