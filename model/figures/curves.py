"""Learning curves of several runs: a line for each variant, the band of its seeds around it (Figures 2, 3, 5, 6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from model.errors import ModelError
from model.figures.plotting import MUTED, PALETTE, literal, new_figure, plain, png
from model.results.quantity import Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Runs: TypeAlias = Sequence[Sequence[float]]
"""One sequence of errors, epoch by epoch from 1, for each seed; they need not be equally long."""

MOST_DOTS = 30
"""Epochs up to which each is marked by a dot; more of them run together and hide the line."""

MOST_LINES = len(PALETTE)
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


@dataclass(frozen=True, slots=True)
class Level:
    """An error to compare with, drawn across a panel, and what it is called."""

    name: str
    error: float


@dataclass(frozen=True, slots=True)
class Mark:
    """An epoch to point out, its error, and what it is called."""

    name: str
    epoch: int
    error: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of axes: what is above it, a curve by name, levels and marks; `log` makes the errors' axis logarithmic.

    Raises ModelError for more curves than can be told apart, none, or one without a run or with an empty run.
    """

    title: str
    curves: Mapping[str, Runs]
    levels: tuple[Level, ...] = ()
    marks: tuple[Mark, ...] = ()
    log: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.curves) <= MOST_LINES:
            raise ModelError(f"curves are {len(self.curves)}; a panel shows 1 to {MOST_LINES}: draw more panels")
        for name, runs in self.curves.items():
            if not runs or not all(runs):
                raise ModelError(f"the curve {name!r} has no run, or one without an epoch; leave it out")


def draw_curves(panels: Sequence[Panel], quantity: Quantity, *, width: float = 7.2, height: float = 3.6) -> bytes:
    """Draw panels side by side, with the same axis of errors, as a PNG; `width` and `height` in inches of all."""
    figure = new_figure(width, height)
    places = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for place, (axes, panel) in enumerate(zip(places, panels, strict=True)):
        _draw(axes, panel, quantity.mae if place == 0 else "")
    return png(figure)


def mean_and_band(runs: Runs) -> tuple[list[float], list[float], list[float]]:
    """Return mean, lowest and highest error epoch by epoch, over the runs that came as far."""
    last = max(map(len, runs))
    reached = [[run[epoch] for run in runs if len(run) > epoch] for epoch in range(last)]
    return [float(np.mean(each)) for each in reached], [min(each) for each in reached], [max(each) for each in reached]


def _draw(axes: "Axes", panel: Panel, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    for (name, runs), colour, style in zip(panel.curves.items(), PALETTE, STYLES, strict=False):
        mean, low, high = mean_and_band(runs)
        epochs = range(1, len(mean) + 1)
        dots = "." if len(mean) <= MOST_DOTS else ""
        axes.plot(epochs, mean, color=colour, linestyle=style, marker=dots, linewidth=1.6, label=_counted(name, runs))
        if len(runs) > 1:
            axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
    for level in panel.levels:
        axes.axhline(level.error, color=MUTED, linewidth=1, linestyle=":", label=level.name)
    for mark in panel.marks:
        axes.plot(mark.epoch, mark.error, "o", color="black", markersize=9, fillstyle="none", label=literal(mark.name))
    plain(axes, "epoch", label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=(1, 2, 5, 10)))
    if panel.log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.legend(frameon=False, fontsize=8)


def _counted(name: str, runs: Runs) -> str:
    return f"{name} ({len(runs)} seeds)" if len(runs) > 1 else name
