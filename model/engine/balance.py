"""How much each image counts in the loss where rare labels shall count for more."""

import numpy as np

from model.engine.label_distribution import nearest
from model.examples import Labels

VALUES = 80
"""Evenly spaced values, from the smallest label to the largest, at which labels are counted: the paper's ages."""

SMOOTHING = 2.0
"""Standard deviation, in distances between two values, of the kernel that smooths the counts, as in the reference."""


def balancing_weights(labels: Labels) -> Labels:
    """Return a weight for each label, float32 (n,), 1 in the mean: one over the root of how frequent its like are.

    The frequency is smoothed over neighbouring values, since a face of 61 teaches something about one of 62, too (label
    distribution smoothing: Yang et al., 2021, "Delving into Deep Imbalanced Regression").
    """
    places = nearest(labels, np.linspace(labels.min(), labels.max(), VALUES, dtype=np.float32))
    distances = np.subtract.outer(np.arange(VALUES), np.arange(VALUES))
    kernel = np.exp(-0.5 * np.square(distances / SMOOTHING))
    weights = 1 / np.sqrt(kernel @ np.bincount(places, minlength=VALUES))[places]
    found: Labels = (weights / weights.mean()).astype(np.float32)
    return found
