"""The search map: where the finished trials lie in the plane of two parameters, and the boxes of the stages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from model.quantity import Quantity
from search.errors import SearchError
from search.results.verdict import verdict
from search.space.box import Box
from search.space.ranges import LogRange
from search.study.finished import finished_trials, measured
from search.study.stages import sampled_stages
from search.study.study import Study

PLANE = ("learning_rate", "l2")
"""The two parameters of the paper's map; a box without them in logarithmic ranges is shown in its first two such."""

COLOURED = 0.9
"""The part of the trials, the best, whose errors have colours of their own; the worst never has."""


@dataclass(frozen=True, slots=True)
class MapTrial:
    """A finished trial: its number in Optuna, its stage and slot, its place in the plane, its validation MAE.

    `score` is what ranks it; the recipe `paper` adds the penalty to the error.
    """

    number: int
    stage: int
    slot: int
    x: float
    y: float
    validation_mae: float
    score: float


@dataclass(frozen=True, slots=True)
class MapBox:
    """The two ranges of a stage, lowest and highest value of each."""

    stage: int
    x: tuple[float, float]
    y: tuple[float, float]


@dataclass(frozen=True, slots=True)
class SearchMap:
    """A study's map: the names of the two parameters, the finished trials that have a value, the boxes so far.

    `unit` is that of the errors, "" for none. `chosen` is the number of the trial that the finalists chose, if any.
    """

    study: str
    x: str
    y: str
    trials: tuple[MapTrial, ...]
    boxes: tuple[MapBox, ...]
    unit: str = "years"
    chosen: int | None = None

    @property
    def marked(self) -> MapTrial | None:
        """The trial to look at first: the chosen one, or the best while there is none; None without trials."""
        ranked = sorted(
            self.trials, key=lambda trial: (trial.number != self.chosen, trial.score, trial.stage, trial.slot)
        )
        return ranked[0] if ranked else None

    @property
    def mark(self) -> str:
        """What that trial is."""
        return "best" if self.chosen is None else "chosen"

    @property
    def error_label(self) -> str:
        """What the colours stand for, with the unit if the data has one."""
        return Quantity(self.unit).label("validation MAE")


def colour_limits(errors: Sequence[float]) -> tuple[float, float]:
    """Return the errors that the first and the last colour stand for; all worse ones have the last, too.

    Else a few diverged trials would take all colours, or a single one where there are few.
    """
    ranked = sorted(errors)
    last = min(math.ceil(COLOURED * len(ranked)) - 1, len(ranked) - 2)
    low, high = ranked[0], ranked[max(last, 0)]
    return low, high if high > low else low + 1


def search_map(study: Study) -> SearchMap:
    """Read the map of a study as it is now; raises SearchError where no two parameters can be drawn."""
    x, y = _plane(study.spec.box)
    stages = sampled_stages(study)
    trials: list[MapTrial] = []
    with study.storage.engine.begin() as tx:
        for stage, _ in stages:
            finished = finished_trials(tx, study.name, stage)
            errors = measured(tx, study.name, stage, "validation_mae")  # of those at least: what has ended stays so
            trials += (
                MapTrial(
                    number=trial.number,
                    stage=stage,
                    slot=trial.slot,
                    x=float(trial.params[x]),
                    y=float(trial.params[y]),
                    validation_mae=errors[trial.slot],
                    score=trial.value,
                )
                for trial in finished
            )
    boxes = tuple(MapBox(stage, _range(plan.box, x), _range(plan.box, y)) for stage, plan in stages)
    judged = verdict(study)
    return SearchMap(study.name, x, y, tuple(trials), boxes, study.spec.unit, judged.chosen if judged else None)


def _plane(box: Box) -> tuple[str, str]:
    found = [each.name for each in box.ranges if isinstance(each, LogRange)]
    names = PLANE if set(PLANE) <= set(found) else tuple(found[:2])
    if len(names) < 2:
        raise SearchError(f"the study searches only {box}; a map needs two parameters in logarithmic ranges")
    return names[0], names[1]


def _range(box: Box, name: str) -> tuple[float, float]:
    return next((each.low, each.high) for each in box.ranges if isinstance(each, LogRange) and each.name == name)
