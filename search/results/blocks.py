"""Scores of configurations that had the same seeds: each seed is a block, and what it does to all is in no difference.

It is a randomised complete block design (Montgomery, Design and Analysis of Experiments, 8th ed., section 4.1). What is
left of the scores next to the means of configuration and seed is the noise, pooled over all n configurations, with
(n - 1)(repeats - 1) degrees of freedom. Of two configurations it is what their differences seed by seed vary by.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95


def noise(scores: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the standard error of a difference of two means, and how large a difference may be by luck.

    `scores` are (configurations, repeats), with the repeats in the same order for all. The limit is the least
    significant difference at 95 %, t · sqrt(2 · noise variance / repeats).
    """
    configurations, repeats = scores.shape
    freedom = (configurations - 1) * (repeats - 1)
    if repeats < 2:
        raise ValueError(f"scores have {repeats} repeats; the noise shows in two or more")
    if not freedom:  # a single configuration, which is the best
        return 0.0, 0.0
    from scipy.special import stdtrit  # a quarter of a second, and only where finalists have ended

    left = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + scores.mean()
    error = math.sqrt(2 * float(np.square(left).sum()) / freedom / repeats)
    return error, float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error


def paired_difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return the mean difference of two configurations, first minus second, and its standard error.

    Both have a score for each of at least two seeds, in one order.
    """
    scores = np.array([first, second], np.float64)
    return float(np.subtract(*scores).mean()), noise(scores)[0]
