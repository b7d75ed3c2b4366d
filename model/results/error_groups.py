"""Errors by groups of labels: how many images, how large the errors are, and in which direction."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.arrays import Labels
from model.errors import ModelError
from model.results.evaluation import standard_error

MOST_GROUPS = 10
STEPS = (1.0, 2.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """The images whose label, or prediction, is at least `low` and below `high`.

    `mae` with its `standard_error`, `bias` (the mean of prediction minus label) with its `bias_error`, and the means
    of labels and predictions. The standard errors are None for a single image. `whole` is True where the groups are of
    whole numbers, as ages are given.
    """

    low: float
    high: float
    count: int
    mae: float
    standard_error: float | None
    bias: float
    bias_error: float | None
    mean_label: float
    mean_prediction: float
    whole: bool

    @property
    def name(self) -> str:
        """The group's range as text: of whole numbers its first and its last, of others its bounds."""
        to = " to " if self.low < 0 else "–"
        if self.whole:
            return f"{self.low:.0f}{to}{self.high - 1:.0f}" if self.high - self.low > 1 else f"{self.low:.0f}"
        return f"{self.low:.12g}{to}{self.high:.12g}"


def by_label(predictions: Labels, labels: Labels) -> tuple[ErrorGroup, ...]:
    """Group the images by their labels, in decades for ages; groups without an image are left out."""
    return _groups(predictions, labels, labels)


def by_prediction(predictions: Labels, labels: Labels) -> tuple[ErrorGroup, ...]:
    """Group the images by what was predicted: calibration asks what such predictions turn out to be."""
    return _groups(predictions, labels, predictions)


def edges(values: Labels) -> npt.NDArray[np.float64]:
    """Return the bounds of at most ten groups that hold all `values`: multiples of 1, 2 or 5 times a power of 10.

    Ages from 1 to 80 fall into decades; no group of whole numbers is narrower than 1.
    """
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 1e-6 * max(abs(low), abs(high))) or 1.0
    power = 10.0 ** math.floor(math.log10(span / MOST_GROUPS))
    if (values == np.round(values)).all():
        power = max(power, 1.0)
    for step in (power * each for each in STEPS):
        # Rounded, as 0.7 in float32 is a little less than seven tenths.
        first, last = (math.floor(round(value / step, 5)) for value in (low, high))
        if last - first < MOST_GROUPS:
            break
    return np.array([float(f"{place * step:.12g}") for place in range(first, last + 2)])


def _groups(predictions: Labels, labels: Labels, ordered_by: Labels) -> tuple[ErrorGroup, ...]:
    if predictions.shape != labels.shape or labels.ndim != 1 or not len(labels):
        raise ModelError(f"predictions are {predictions.shape} for labels of {labels.shape}; both must be (n,), n ≥ 1")
    bounds = edges(ordered_by)
    whole = bool((ordered_by == np.round(ordered_by)).all())
    place = np.clip(np.digitize(ordered_by, bounds.astype(ordered_by.dtype)) - 1, 0, len(bounds) - 2)
    return tuple(
        _group((float(bounds[each]), float(bounds[each + 1])), predictions[place == each], labels[place == each], whole)
        for each in np.unique(place)
    )


def _group(bounds: tuple[float, float], predictions: Labels, labels: Labels, whole: bool) -> ErrorGroup:
    signed = predictions.astype(np.float64) - labels
    return ErrorGroup(
        *bounds,
        len(labels),
        float(np.abs(signed).mean()),
        standard_error(np.abs(signed)),
        float(signed.mean()),
        standard_error(signed),
        float(labels.mean(dtype=np.float64)),
        float(predictions.mean(dtype=np.float64)),
        whole,
    )
