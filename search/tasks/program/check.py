"""`agesearch check` of a program: what it asks for, whether a slot's trial repeats, and what a trial costs outside."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from search.counting import counted
from search.errors import SearchError, SearchFailure
from search.settings.settings import Settings
from search.space.box import Box
from search.space.ranges import Value
from search.space.seeds import trial_seeds
from search.study.trial import Trial
from search.tasks.checking import FRESH, THIRD, Checked, Course, course_of, repeated, shares_of
from search.tasks.program.asking import Asked, space_text
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.messages import ASKED
from search.tasks.program.placeholders import require_placeholders
from search.tasks.program.program import Program
from search.tasks.program.runner import ProgramRunner
from search.tasks.program.specifying import program_of

MOST: Final = 9
"""The most trials that look for what the program asks for."""


@dataclass(frozen=True, slots=True)
class _Timed:
    """A trial's course, and how long it took, within the objective and in all; `inside` is None if it is unknown."""

    course: Course
    inside: float | None
    whole: float

    @property
    def outside(self) -> float | None:
        return None if self.inside is None else self.whole - self.inside


def check_program(settings: Settings) -> Checked:
    """Check the program that the settings name; raises SearchError, or SearchFailure where a trial of it fails."""
    check = _Check(program_of(settings), settings)
    if settings.command is None:
        asked, left = check.ask()
    else:
        asked, left = Asked(), 0
        if settings.space is None:
            raise SearchError("no space is given, and a command cannot be asked for its own; write it as [space]")
        require_placeholders(settings.command, Box(settings.space).names, list(settings.budget or {}))
    box = _box(settings, asked)
    first, other = check.fresh(box), check.fresh(box)
    repeats, costs = [repeated(FRESH, first.course, other.course)], _costs(first, other)
    if settings.command is None:
        *_, second, third = check.kept(box)
        repeats.append(repeated(THIRD, first.course, third.course))
        outside = [timed.outside for timed in (second, third) if timed.outside is not None]
        costs |= {"trial_ms": 1000 * min(outside)} if outside else {}
    own = Box(tuple(asked.ranges.values())) if asked.ranges else None
    return Checked(first.course, tuple(repeats), space_text(own) if own else "", _remarks(settings, asked, left), costs)


def _box(settings: Settings, asked: Asked) -> Box:
    """Return the settings' space, and what the program asks for besides."""
    given = {searched.name: searched for searched in settings.space or ()}
    return Box(tuple((asked.ranges | given).values()))


def _costs(*fresh: _Timed) -> dict[str, float]:
    starts = [timed.outside for timed in fresh if timed.outside is not None]
    return {"start_seconds": min(starts)} if starts else {}


def _remarks(settings: Settings, asked: Asked, left: int) -> tuple[str, ...]:
    said = []
    if settings.space is not None and asked.ranges:
        given = {searched.name for searched in settings.space}
        missing = [name for name in asked.ranges if name not in given]
        said += [f"{', '.join(missing)}: asked for, but not in the [space] of the settings"] if missing else []
    if asked.otherwise:
        names = ", ".join(sorted(asked.otherwise))
        said.append(f"{names}: asked for with other ranges as well; a parameter has one range, and this is the first")
    if left:
        said.append(f"{counted(left, 'combination')} of choices not tried; they may ask for more")
    return tuple(said)


@dataclass(slots=True)
class _Check:
    """Trials of a program, by hand."""

    program: Program
    settings: Settings
    reported: list[tuple[int, float]] = field(default_factory=list)

    def ask(self) -> tuple[Asked, int]:
        """Return what trials ask for, each choice of a parameter tried once; and how many were left out."""
        known = Box(self.settings.space) if self.settings.space else None
        middle = known.at([0.5] * len(known.ranges)) if known else {}
        waiting: list[dict[str, Value]] = [{}]
        asked = Asked()
        with ProgramRunner(self.program) as run:
            for _ in range(MOST):
                params = waiting.pop(0)
                found = Asked()
                self._run(run, {**middle, **params}, 0, found)
                waiting += asked.add(found, params)
                if not waiting:
                    break
        return asked, len(waiting)

    def fresh(self, box: Box) -> _Timed:
        """Run the slot in a process of its own."""
        with ProgramRunner(self.program) as run:
            return self._slot(run, box, 0)

    def kept(self, box: Box) -> list[_Timed]:
        """Run two other slots, and then that one, in the same process."""
        with ProgramRunner(self.program) as run:
            return [self._slot(run, box, slot) for slot in (1, 2, 0)]

    def _slot(self, run: ProgramRunner, box: Box, slot: int) -> _Timed:
        params = box.at(shares_of(self.settings.seed, slot, len(box.ranges)))
        return self._run(run, params, slot, Asked())

    def _run(self, run: ProgramRunner, params: Mapping[str, Value], slot: int, asked: Asked) -> _Timed:
        reported: list[tuple[int, float]] = []
        trial = Trial(
            number=slot,
            stage=1,
            slot=slot,
            attempt=1,
            params=params,
            seeds=trial_seeds(self.settings.seed, 1, slot),
            budget=self.settings.budget or {},
            report=lambda step, value: reported.append((step, value)),
            should_stop=lambda: False,
            should_prune=lambda: "",
            options={ASKED: asked},
        )
        began = time.perf_counter()
        try:
            ending = run(trial)
        except ProgramFailure as error:
            raise SearchFailure(f"{_hint(error.reason)}{error.reason}") from error  # its output is on the screen
        return _Timed(course_of(ending, reported), asked.seconds, time.perf_counter() - began)


def _hint(reason: str) -> str:
    """Say what a program may want that reads its parameters or its budget by itself."""
    if "objective failed: KeyError" not in reason:
        return ""
    return "if it reads trial.budget or trial.params itself, write [budget] or [space] in agesearch.toml; "
