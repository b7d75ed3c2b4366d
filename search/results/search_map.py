"""The search map: where the finished trials lie in the plane of two parameters, and the boxes of the stages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from search.errors import SearchError
from search.results.verdict import verdict
from search.space.box import Box
from search.space.ranges import Choices, IntegerRange, LogRange, Range
from search.space.score import Score
from search.study.finished import finished_trials, measured
from search.study.stages import sampled_stages
from search.study.study import Study
from search.study.task import TaskSpec

COLOURED = 0.9
"""The part of the trials, the best, whose errors have colours of their own; the worst never has."""


@dataclass(frozen=True, slots=True)
class MapTrial:
    """A finished trial: its number in Optuna, its stage and slot, its place in the plane, the measure that colours it.

    `score` is what ranks it.
    """

    number: int
    stage: int
    slot: int
    x: float
    y: float
    measure: float
    score: float


@dataclass(frozen=True, slots=True)
class MapBox:
    """The two ranges of a stage, lowest and highest value of each."""

    stage: int
    x: tuple[float, float]
    y: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter of the map: its name, its title, and whether its axis is logarithmic."""

    name: str
    title: str
    log: bool


@dataclass(frozen=True, slots=True)
class SearchMap:
    """A study's map: the two parameters, the finished trials that have a value, the boxes so far.

    `task` says what scores and parameters are called. `chosen` is the number of the trial that the finalists chose, if
    any.
    """

    study: str
    x: Axis
    y: Axis
    trials: tuple[MapTrial, ...]
    boxes: tuple[MapBox, ...]
    task: TaskSpec
    chosen: int | None = None

    @property
    def marked(self) -> MapTrial | None:
        """The trial to look at first: the chosen one, or the best while there is none; None without trials."""
        loss = self.task.score.loss
        ranked = sorted(
            self.trials, key=lambda trial: (trial.number != self.chosen, loss(trial.score), trial.stage, trial.slot)
        )
        return ranked[0] if ranked else None

    @property
    def mark(self) -> str:
        """What that trial is."""
        return "best" if self.chosen is None else "chosen"

    @property
    def measure_label(self) -> str:
        """What the colours stand for, with the unit if the data has one."""
        return self.task.measure_label


def colour_limits(found: Sequence[float], score: Score) -> tuple[float, float]:
    """Return the lowest and the highest score that have colours of their own; all worse ones have that of the last.

    Else a few diverged trials would take all colours, or a single one where there are few.
    """
    ranked = sorted(map(score.loss, found))
    last = min(math.ceil(COLOURED * len(ranked)) - 1, len(ranked) - 2)
    best, worst = ranked[0], ranked[max(last, 0)]
    low, high = sorted(map(score.loss, (best, worst if worst > best else best + 1)))
    return low, high


def search_map(study: Study) -> SearchMap:
    """Read the map of a study as it is now; raises SearchError where no two parameters can be drawn."""
    task = study.spec.task
    x, y = _plane(study.spec.box)
    stages = sampled_stages(study)
    trials: list[MapTrial] = []
    with study.storage.engine.begin() as tx:
        for stage, _ in stages:
            finished = finished_trials(tx, study.name, stage)
            # Of those at least: what has ended stays so.
            measures = measured(tx, study.name, stage, task.coloured_name) if task.coloured else {}
            trials += (
                MapTrial(
                    number=trial.number,
                    stage=stage,
                    slot=trial.slot,
                    x=float(trial.params[x]),
                    y=float(trial.params[y]),
                    measure=measures.get(trial.slot, trial.value),
                    score=trial.value,
                )
                for trial in finished
            )
    boxes = tuple(MapBox(stage, _ends(plan.box, x), _ends(plan.box, y)) for stage, plan in stages)
    judged = verdict(study)
    across, up = (Axis(name, task.title_of(name), _is_log(_range(study.spec.box, name))) for name in (x, y))
    return SearchMap(study.name, across, up, tuple(trials), boxes, task, judged.chosen if judged else None)


def _plane(box: Box) -> tuple[str, str]:
    """Return the first two parameters that are numbers, those of logarithmic ranges before the others."""
    numbers = [searched for searched in box.ranges if not isinstance(searched, Choices)]
    names = [searched.name for searched in sorted(numbers, key=lambda searched: not _is_log(searched))]
    if len(names) < 2:
        raise SearchError(f"the study searches only {box}; a map needs two parameters that are ranges of numbers")
    return names[0], names[1]


def _range(box: Box, name: str) -> Range:
    return next(searched for searched in box.ranges if searched.name == name)


def _is_log(searched: Range) -> bool:
    return isinstance(searched, LogRange) or (isinstance(searched, IntegerRange) and searched.log)


def _ends(box: Box, name: str) -> tuple[float, float]:
    searched = _range(box, name)
    if isinstance(searched, Choices):  # which no narrowing makes of a range of numbers
        raise TypeError(f"{name} has choices; a map needs a range of numbers")
    return searched.low, searched.high
