"""How much each image counts in the loss where rare ages shall count for more."""

import numpy as np

from model.examples import Labels

SMOOTHING = 2.0
"""Standard deviation in years of the kernel that smooths the counts of the ages, as in the reference below."""


def balancing_weights(labels: Labels) -> Labels:
    """Return a weight for each label, float32 (n,), 1 in the mean: one over the root of how frequent its age is.

    The frequency is smoothed over neighbouring ages, since a face of 61 teaches something about one of 62, too (label
    distribution smoothing: Yang et al., 2021, "Delving into Deep Imbalanced Regression").
    """
    ages, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    kernel = np.exp(-0.5 * np.square((ages[:, None] - ages[None]) / SMOOTHING))
    weights = 1 / np.sqrt(kernel @ counts)[places]
    found: Labels = (weights / weights.mean()).astype(np.float32)
    return found
