"""The paper's own numbers, to set ours next to them: "CS 559 - Deep Learning, Homework Assignment", Dalva and Altındış.

Its losses are what Keras' `evaluate()` returns: the mean absolute error plus the L2 penalty.
"""

from dataclasses import dataclass
from typing import Final

from model.results.quantity import YEARS
from search.study.task import TaskSpec


@dataclass(frozen=True, slots=True)
class PaperSplit:
    """A row of the paper's Table I: images, and the distribution of their ages in years."""

    count: int
    mean: float
    sd: float
    quartile_1: float
    median: float
    quartile_3: float


@dataclass(frozen=True, slots=True)
class PaperTrial:
    """A row of the paper's Table II: losses in years, parameters as log10."""

    validation_loss: float
    training_loss: float
    log_learning_rate: float
    log_l2: float


@dataclass(frozen=True, slots=True)
class PaperFit:
    """A row of the paper's Table III: losses in years."""

    training: str
    training_loss: float
    validation_loss: float
    test_loss: float


TABLE_1: Final = {
    "training": PaperSplit(5400, 32.03, 18.23, 23, 29, 42),
    "validation": PaperSplit(2315, 32.02, 18.23, 23, 29, 42),
    "test": PaperSplit(1159, 32.00, 18.22, 23, 29, 42),
}
"""Section II-B."""

TABLE_2: Final = (
    PaperTrial(27.296, 8.948, -3.982, -4.701),
    PaperTrial(27.883, 12.427, -4.548, -4.556),
    PaperTrial(28.000, 7.971, -3.494, -4.599),
    PaperTrial(28.626, 13.358, -4.543, -4.213),
    PaperTrial(29.190, 11.189, -4.252, -3.923),
)
"""Section IV-A: the five best trials of its second stage."""

TABLE_3: Final = (
    PaperFit("800 epochs", 0.5115, 6.2636, 6.4873),
    PaperFit("best checkpoint of 800 epochs (587)", 0.5586, 6.3150, 6.4862),
    PaperFit("600 epochs", 0.5867, 6.1663, 6.4457),
)
"""Section IV-B."""

WITH_PENALTY: Final = "which are losses with the L2 penalty in them (about 0.1 to 0.2 years)"
"""What is to be said of them."""

BEST_TEST_LOSS: Final = 6.4457
"""The last row of Table III."""

LOWEST_TEST_LOSS: Final = 6.22
"""Section IV-B: the lowest it saw in any run, named in the text alone."""

CHOSEN: Final = 1e-4
"""Section IV-A: what both the learning rate and L2 were set to after the search."""

CAPACITY_MAE: Final = 0.067
"""Section III-C: reached on 20 training images without regularisation (Figure 2)."""

PARAMETERS: Final = 1_431_905
"""The appendix: the summary of its network."""


def is_papers(task: TaskSpec) -> bool:
    """Return whether a task is the paper's, so that its numbers may stand next to ours."""
    return task.kind == "images" and task.score.unit == YEARS
