"""Pictures of a model's errors: predicted against true, errors by age group, calibration."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from model.arrays import Labels
from model.figures.plotting import INK, MUTED, PALETTE, new_figure, plain, png
from model.results.error_groups import ErrorGroup
from model.results.quantity import Quantity, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTERS: Final = 60
"""Letters that fit below the bars side by side."""


def predicted_against_true(predictions: Labels, labels: Labels, quantity: Quantity) -> bytes:
    """Draw every image as a dot, and the line on which a perfect model would put them, as a PNG."""
    figure = new_figure(4.8, 4.8)
    axes = figure.subplots()
    ends = axis_ends([*labels.tolist(), *predictions.tolist()])
    axes.plot(ends, ends, color=MUTED, linewidth=1, label="predicted = true")
    axes.plot(labels, predictions, ".", color=PALETTE[0], alpha=0.35, markersize=6, markeredgewidth=0, clip_on=False)
    noun = quantity.noun
    plain(axes, quantity.label(f"true {noun}"), quantity.label(f"predicted {noun}"))
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.locator_params(nbins=6)  # so that long numbers do not run into each other
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return png(figure)


def error_by_group(groups: Sequence[ErrorGroup], mae: float, quantity: Quantity) -> bytes:
    """Draw a bar for each group, with its standard error and its count, and the error over all images, as a PNG."""
    figure = new_figure(7.2, 3.4)
    axes = figure.subplots()
    places = range(len(groups))
    axes.bar(places, [group.mae for group in groups], width=0.72, color=PALETTE[0], alpha=0.85)
    _whiskers(axes, places, [group.mae for group in groups], [group.standard_error for group in groups])
    axes.axhline(mae, color=MUTED, linewidth=1, linestyle="--", label=f"all images: {decimal(mae, '.2f')}")
    true = quantity.label(f"true {quantity.noun}")
    plain(axes, f"{true}, and how many images", f"{quantity.mae}\n± standard error")
    crowded = sum(len(group.name) for group in groups) > LETTERS
    axes.set_xticks(places, [f"{group.name}\n{group.count:,}" for group in groups], rotation=45 if crowded else 0)
    axes.grid(visible=False, axis="x")
    axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))
    return png(figure)


def calibration(by_label: Sequence[ErrorGroup], by_prediction: Sequence[ErrorGroup], quantity: Quantity) -> bytes:
    """Draw the mean error by true label, and what predictions turn out to be on average, as a PNG of two panels."""
    figure = new_figure(7.6, 3.6)
    left, right = figure.subplots(1, 2)
    places, noun, label = range(len(by_label)), quantity.noun, quantity.label
    left.axhline(0, color=MUTED, linewidth=1)
    _whiskers(left, places, [group.bias for group in by_label], [group.bias_error for group in by_label], "o")
    plain(left, label(f"true {noun}"), label("predicted minus true") + "\n± standard error")
    left.set_xticks(places, [group.name for group in by_label], rotation=45)
    left.set_title(f"Bias by true {noun}", fontsize=10, loc="left")
    means = [group.mean_prediction for group in by_prediction]
    ends = axis_ends([*means, *(group.mean_label for group in by_prediction)])
    right.plot(ends, ends, color=MUTED, linewidth=1, label="perfectly calibrated")
    _whiskers(right, means, [group.mean_label for group in by_prediction], [g.bias_error for g in by_prediction], "o")
    # The whisker is that of prediction minus truth, whose distance from the line it puts in doubt.
    plain(right, label(f"mean predicted {noun}"), label(f"mean true {noun}") + "\n± standard error of the bias")
    right.set_title("What predictions turn out to be", fontsize=10, loc="left")
    right.legend(frameon=False, fontsize=8, loc="upper left")
    return png(figure)


def axis_ends(values: Sequence[float]) -> tuple[float, float]:
    """Return where an axis that shows `values` begins and ends: at 0, where that takes less than half of its length."""
    low, high = min(values), max(values)
    margin = 0.03 * (high - low or abs(high) or 1)
    if 0 <= low <= high / 2:
        return 0.0, high + margin
    if low / 2 <= high <= 0:
        return low - margin, 0.0
    return low - margin, high + margin


def _whiskers(
    axes: "Axes", x: Sequence[float], y: Sequence[float], errors: Sequence[float | None], shape: str = ""
) -> None:
    """Draw points with their standard errors; a point that has none gets no whisker."""
    colour = PALETTE[0] if shape else INK
    whiskers = [math.nan if error is None else error for error in errors]
    axes.errorbar(x, y, yerr=whiskers, fmt=shape or "none", color=colour, ecolor=INK, elinewidth=1, capsize=2.5)
