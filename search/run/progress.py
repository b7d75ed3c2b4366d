"""One display for all workers: how much of the stage is done, the best so far, how fast, how long still."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from search.results.ranking import best_score
from search.space.score import MINIMIZED, Score
from search.storage.retry import retry_interrupted
from search.study.slots import Slots


@dataclass(frozen=True, slots=True)
class StudyProgress:
    """Where a study stands: the open stage, its closed slots and all of them, and those of the whole study.

    `best` is the best score of a sampled trial, `opened` the number of stages opened so far, and `failures` that of
    attempts that have failed.
    """

    stage: str
    stage_closed: int
    stage_slots: int
    closed: int
    slots: int
    best: float | None
    score: Score = MINIMIZED
    opened: int = 0
    failures: int = 0


@retry_interrupted
def study_progress(of: Slots, before: StudyProgress | None = None) -> StudyProgress:
    """Read where the study stands; its best score is that of `before` unless slots have been closed since."""
    spec, opened = of.study.spec, of.tally()
    sizes = (*(stage.slots for stage in opened), *spec.stage_sizes[len(opened) :])
    number, closed = max(len(opened), 1), sum(stage.counts.closed for stage in opened)
    return StudyProgress(
        stage=f"stage {number}" if number <= len(spec.trials) else "finalists",
        stage_closed=opened[-1].counts.closed if opened else 0,
        stage_slots=sizes[number - 1],
        closed=closed,
        slots=sum(sizes),
        best=before.best if before and before.closed == closed else best_score(of.study),
        score=spec.task.score,
        opened=len(opened),
        failures=sum(stage.failures for stage in opened),
    )


class Pace:
    """Trials a minute since the start of this launch, and the time left for what the others cost (`slot_costs`)."""

    def __init__(self, closed: int, costs: Sequence[float]) -> None:
        self._before, self._costs = closed, costs
        self._start = time.monotonic()

    def text(self, now: StudyProgress) -> str:
        """Return both as text; nothing before the first trial has ended."""
        done, minutes = now.closed - self._before, (time.monotonic() - self._start) / 60
        if done <= 0:  # below 0 where `repair` has opened a slot again
            return "…"
        left = sum(self._costs[now.closed : now.slots]) * minutes / sum(self._costs[self._before : now.closed])
        return f"{done / minutes:.1f} trials/min, {_duration(left)} left"


class Display:
    """Shows a study's progress: a bar in a terminal, else a line whenever a trial has ended."""

    def __init__(self, console: Console, first: StudyProgress, costs: Sequence[float]) -> None:
        self._console, self._pace, self._last = console, Pace(first.closed, costs), first
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._bar = self._progress.add_task("", note="")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it for the length of the block."""
        with self._progress:
            self.update(self._last)
            yield

    def update(self, now: StudyProgress) -> None:
        """Show the progress `now`."""
        best = "no trial has ended yet" if now.best is None else f"best {now.score.shown(now.best)}"
        stage, note = now.stage, f"{best}, {self._pace.text(now)}"
        self._progress.update(
            self._bar, description=stage, completed=now.stage_closed, total=now.stage_slots, note=note
        )
        if not self._console.is_terminal and now.closed != self._last.closed:
            self.say(f"{stage}: {now.stage_closed}/{now.stage_slots}, {note}")
        self._last = now

    def say(self, text: str) -> None:
        """Print a remark, above the bar where there is one."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def _duration(minutes: float) -> str:
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
