"""What a search has to beat: the error of always answering the same, which takes no image into account."""

from pathlib import Path

import numpy as np

from data.dataset import read_labels
from search.results.ranking import best_trials
from search.study.study import Study
from search.tasks.images.specifying import recipe_of

MEASURE = "validation_mae"

LEAST_GAIN = 0.03
"""The part by which a trial that has learnt something is better; the best of many may be so by less through luck."""


def median_error(dataset: Path) -> float:
    """Return the validation MAE of always answering the median of the training labels."""
    training, validation = (read_labels(dataset, split).astype(np.float64) for split in ("training", "validation"))
    return float(np.abs(validation - np.median(training)).mean())


def nothing_learnt(study: Study, median: float) -> str:
    """Return a sentence where the best single trial is hardly better than the `median`'s error, or "".

    Under the recipe `paper` it is always "": short trials are judged with stale batch-norm statistics there, and learn
    more than their errors show.
    """
    best = best_trials(study, 1)
    if recipe_of(study.spec) == "paper" or not best or best[0].measure(MEASURE) <= (1 - LEAST_GAIN) * median:
        return ""
    found, constant = map(study.spec.task.score.shown, (best[0].measure(MEASURE), median))
    return (
        f"nothing was learnt: the best single trial scores {found}, and always answering the median {constant}; look "
        "at the range of learning rates, at a trial's images and epochs, and at whether labels and images match"
    )
