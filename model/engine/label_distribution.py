"""Labels as distributions: what a network that ends in `Expectation` weighs, where it starts, and what it learns.

Such a network answers how likely each of many values is; its prediction is their mean. Beside the error of that mean it
learns the distribution itself, which neighbouring labels share: an image of 31 teaches something about 30 and 32, too
(Gao et al., 2018, "Age Estimation Using Expectation of Label Distribution Learning").
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.arrays import Labels
from model.network.layers import BEYOND

Tensor: TypeAlias = tf.Tensor

SPREAD = 2.0
"""Standard deviation of a label's distribution, in distances between two values."""


def support(labels: Labels, count: int) -> Labels:
    """Return `count` evenly spaced values, `BEYOND` of them below the smallest label and above the largest, float32.

    That is three standard deviations of a label's distribution, so that the smallest label's has its mean there, too.
    """
    low, high = float(labels.min()), float(labels.max())
    margin = BEYOND * (high - low) / (count - 1 - 2 * BEYOND)
    return np.linspace(low - margin, high + margin, count, dtype=np.float32)


def prior(labels: Labels, values: Labels) -> Labels:
    """Return the logarithm of how frequent labels are next to each of `values`, one added to each count, float32."""
    counts = np.bincount(nearest(labels, values), minlength=len(values)) + 1.0
    found: Labels = np.log(counts / counts.sum()).astype(np.float32)
    return found


def nearest(labels: Labels, values: Labels) -> npt.NDArray[np.int64]:
    """Return the place in `values`, which ascend, of the one that is nearest to each label, (n,)."""
    return np.searchsorted((values[1:] + values[:-1]) / 2, labels)


def cross_entropy(shares: Tensor, labels: Tensor, values: Tensor) -> Tensor:
    """Return the cross-entropy, (B,), of predicted `shares`, (B, K) over `values`, (K,), under those of `labels`, (B,).

    A label's own shares are a normal curve around it, at the values.
    """
    distance = tf.maximum((values[-1] - values[0]) / tf.cast(tf.size(values) - 1, tf.float32), 1e-6)
    deviations = (values - labels[:, tf.newaxis]) / (SPREAD * distance)
    wanted = tf.nn.softmax(-0.5 * tf.square(deviations))
    return -tf.reduce_sum(wanted * tf.math.log(shares + 1e-7), axis=1)


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
