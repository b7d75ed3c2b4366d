"""A command that is a process for each trial, and whose last line on stdout is the value."""

import json
from collections.abc import Mapping
from typing import Any

from search.study.trial import Ending, Trial
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.messages import scored
from search.tasks.program.output import Output, Tail
from search.tasks.program.placeholders import filled
from search.tasks.program.process import ProgramProcess
from search.tasks.program.program import Program
from search.tasks.program.watch import Watch


class CommandProgram:
    """Runs each trial in a process of its own; there is no pruning, as a command cannot ask."""

    starts_anew = True

    def __init__(self, program: Program, environment: Mapping[str, str], output: Output) -> None:
        self._program, self._environment, self._output = program, environment, output

    def run(self, trial: Trial, folder: str) -> Ending:
        """Run a trial; raises TrialStopped at once where it should stop, or ProgramFailure for a failed attempt."""
        first, *words = filled(str(self._program.command), trial, folder)
        command, answer = [self._program.found(first, "command"), *words], _Answer(self._output)
        watch = Watch(trial, self._program.minutes, patience=0.0)
        process = ProgramProcess(self._program, command, self._environment)
        try:
            process.listen(answer.feed, self._output.feed)
            while process.exit_code is None:
                watch.look()
                process.turn(watch.pause())
        finally:
            process.end()
        if process.exit_code:
            raise ProgramFailure(process.why_it_ended())
        return answer.ending()

    def close(self) -> None:
        """Do nothing: no process outlives its trial."""


class _Answer(Tail):
    """What a command writes to stdout, which goes to the log like the rest; its last line is the answer."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def feed(self, written: bytes) -> None:
        """Take in what was written."""
        super().feed(written)
        self._output.feed(written)

    def ending(self) -> Ending:
        """Return what the last line says; raise ProgramFailure where it is no value."""
        line = (self.lines() or [""])[-1].strip()
        attributes = _read(line)
        value = attributes.pop("value", None)
        if type(value) not in (int, float):
            what = f"its last line on stdout is {line[:80]!r}" if line else "it wrote nothing to stdout"
            raise ProgramFailure(f"{what}; it must be a number, or a JSON object with a value that is one")
        return scored(value, attributes)


def _read(line: str) -> dict[str, Any]:
    try:
        return {"value": float(line)}
    except ValueError:
        pass
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
