"""The experiment `proxy`: can a short trial be believed? Its design as variants, and what its results come to."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from search.errors import SearchError
from search.report.agreement import Agreement, agreement
from search.report.runs import Run
from search.space.box import Box
from search.space.ranges import LogRange, Value
from search.space.seeds import trial_seeds, uniforms
from search.study.variants import Experiment, Variant
from search.tasks.images.options import options_of
from search.tasks.images.parameters import SPANNED

NAME: Final = "proxy"
REFERENCE: Final = "reference"
"""The group of the long trainings."""

BOX: Final = Box((LogRange("learning_rate", 3e-6, 5e-3), LogRange("l2", 1e-6, 3e-2)))
"""Wide enough for good and bad configurations, without those that come to nothing whatever the judge."""

DRAWS: Final = 0
"""The stage whose seeds draw the configurations; stages of trials count from 1."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The training images and the epochs of a trial."""

    images: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Design:
    """How the proxy is judged: how many configurations, the budgets of the judges, the long training, repeats.

    The first budget is judged under the recipes `paper` and `default`, the others under `default` alone.
    """

    configurations: int
    budgets: tuple[Budget, ...]
    reference: Budget
    repeats: int


def read_budgets(text: str) -> tuple[Budget, ...]:
    """Return the budgets in a text such as "500x5,250x5", images × epochs; raises SearchError for any other."""
    parts = [re.fullmatch(r"\s*(\d+)\s*[x×]\s*(\d+)\s*", part) for part in text.split(",")]
    found = tuple(Budget(int(part[1]), int(part[2])) for part in parts if part)
    if len(found) < len(parts) or len(set(found)) < len(found):
        raise SearchError(f"budgets are {text!r}; write images x epochs, each once, as in 500x5,250x5")
    return found


def experiment_of(design: Design, seed: int) -> Experiment:
    """Return the experiment: each judge's trials of all configurations, then their long trainings.

    Every trial has seeds of its own, as in a search. Raises SearchError for a design that makes no sense.
    """
    drawn = [_configuration(seed, number) for number in range(design.configurations)]
    first, *others = design.budgets
    judges = [("paper", first), ("default", first), *(("default", budget) for budget in others)]
    variants = [
        Variant(
            f"{_judge(recipe, budget)}, configuration {number}",
            {"recipe": recipe, **params},
            asdict(budget),
            design.repeats,
            options_of("none"),
            _judge(recipe, budget),
        )
        for recipe, budget in judges
        for number, params in enumerate(drawn)
    ]
    variants += [
        Variant(
            f"{REFERENCE}, configuration {number}",
            {"recipe": "default", **params},
            asdict(design.reference),
            1,
            options_of("validation"),
            REFERENCE,
        )
        for number, params in enumerate(drawn)
    ]
    return Experiment(NAME, tuple(variants), paired=False, spanned=SPANNED)


@dataclass(frozen=True, slots=True)
class Proxy:
    """What the experiment came to: each judge's agreement with the long trainings, and the errors it follows from.

    `scores` has for each judge a row of its trials' scores for each configuration, `reference` the lowest validation
    error of each long training; a trial without a score has infinity.
    """

    experiment: Experiment
    judges: Mapping[str, Agreement]
    scores: Mapping[str, Sequence[Sequence[float]]]
    reference: Sequence[float]


def judge(experiment: Experiment, runs: Mapping[str, Sequence[Run]]) -> Proxy:
    """Judge the judges by all runs of the experiment, by variant.

    Configurations whose long training came to nothing are left out. Raises SearchError where too few are left.
    """
    groups: dict[str, list[list[float]]] = {}
    for variant in experiment.variants:
        scores = [math.inf] * variant.repeats
        for run in runs.get(variant.name, ()):
            scores[run.repeat] = min(run.validation) if variant.group == REFERENCE else run.score
        groups.setdefault(variant.group, []).append(scores)
    reference = np.array([best for (best,) in groups.pop(REFERENCE)])
    known = np.isfinite(reference)
    judges = {name: agreement(np.array(scores)[known], reference[known]) for name, scores in groups.items()}
    return Proxy(experiment, judges, groups, reference.tolist())


def _judge(recipe: str, budget: Budget) -> str:
    return f"{recipe}, {budget.images} images × {budget.epochs} epochs"


def _configuration(seed: int, number: int) -> dict[str, Value]:
    return BOX.at(uniforms(trial_seeds(seed, DRAWS, number).parameters, len(BOX.ranges)))
