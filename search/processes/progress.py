"""One display for all workers: how much of the stage is done, the best so far, how fast, how long still."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import func, select

from search.results.ranking import best_score
from search.slots.slots import Slots
from search.storage.patience import outlasting
from search.storage.tables import FAILED, FINISHED, slots
from search.study.planning import stage_sizes
from search.study.stages import list_stages
from search.study.study import Study


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a study stands: the open stage, its closed slots and all of them, and those of the whole study.

    `best` is the best score of a sampled trial.
    """

    stage: str
    stage_closed: int
    stage_slots: int
    closed: int
    slots: int
    best: float | None
    unit: str = "years"


@outlasting
def standing(of: Slots) -> Standing:
    """Read where the study stands."""
    study = of.study
    opened = [stage.plan.slots for stage in list_stages(study)]
    expected = stage_sizes(study.spec)
    sizes = (*opened, *expected[len(opened) :])
    stage = max(len(opened), 1)
    title = f"stage {stage}" if stage <= len(study.spec.trials) else "finalists"
    counts = of.counts(stage)
    here = counts.finished + counts.failed
    return Standing(title, here, sizes[stage - 1], _closed(study), sum(sizes), best_score(study), study.spec.unit)


def _closed(study: Study) -> int:
    """Count over all stages, as a slot of one that is done may have been opened again."""
    of_study = (slots.c.study == study.name, slots.c.state.in_((FINISHED, FAILED)))
    with study.storage.engine.begin() as tx:
        return tx.scalar(select(func.count()).where(*of_study)) or 0


class Pace:
    """Trials a minute since the start of this launch, and the time left at that pace."""

    def __init__(self, closed: int) -> None:
        self._before = closed
        self._start = time.monotonic()

    def text(self, now: Standing) -> str:
        """Return both as text; nothing before the first trial has ended."""
        done, minutes = now.closed - self._before, (time.monotonic() - self._start) / 60
        if not done:
            return "…"
        left = (now.slots - now.closed) * minutes / done
        return f"{done / minutes:.1f} trials/min, {_duration(left)} left"


class Display:
    """Shows a study's standing: a bar in a terminal, else a line whenever a trial has ended."""

    def __init__(self, console: Console, first: Standing) -> None:
        self._console, self._pace, self._last = console, Pace(first.closed), first
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._bar = self._progress.add_task("", note="")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it for the length of the block."""
        with self._progress:
            self.update(self._last)
            yield

    def update(self, now: Standing) -> None:
        """Show the standing `now`."""
        best = "no trial has ended yet" if now.best is None else f"best {now.best:.3f} {now.unit}".rstrip()
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
