"""Parallel coordinates: a line for each trial through its parameters to its error."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from model.figures.plotting import INK, MUTED, literal, new_figure, png
from search.report.colours import colour_map, colour_range
from search.results.ranking import RankedTrial
from search.study.task import TaskSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_parallel(trials: Sequence[RankedTrial], task: TaskSpec) -> bytes:
    """Draw a line for each trial through its parameters to its error, the best on top, as a PNG."""
    import matplotlib as mpl

    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    scales = [_Scale([trial.params[name] for trial in trials if name in trial.params]) for name in names]
    found = {trial.number: trial.measure(task.coloured_name) for trial in trials}
    results = _Scale(list(found.values()), log=False)
    colours, palette = colour_range(list(found.values()), task.score), colour_map(task.score)
    figure = new_figure(max(5.5, 1.5 + 2.0 * len(names)), 3.6)
    axes = figure.subplots()
    for trial in sorted(trials, key=lambda trial: -task.score.loss(found[trial.number])):
        places = [scale.place(trial.params.get(name)) for name, scale in zip(names, scales, strict=True)]
        colour = mpl.colormaps[palette](colours(found[trial.number]))
        axes.plot([*places, results.place(found[trial.number])], color=colour, linewidth=1.1, alpha=0.8)
    for place, scale in enumerate([*scales, results]):
        _draw_scale(axes, place, scale)
    labels = [*map(task.title_of, names), task.measure_label.replace(" (", "\n(")]
    axes.set_xticks(range(len(labels)), map(literal, labels), color=INK)
    axes.set(yticks=(), xlim=(-0.15, len(names) + 0.45), ylim=(-0.04, 1.04))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return png(figure)


class _Scale:
    """An axis from 0 to 1 for numbers, logarithmic where they all are above 0 and span a decade, or for choices."""

    def __init__(self, values: Sequence[Any], *, log: bool | None = None) -> None:
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        self._choices = None if numbers else list(dict.fromkeys(map(str, values)))
        if self._choices is not None:
            self.low, self.high, self.log = 0.0, float(max(1, len(self._choices) - 1)), False
        else:
            self.low, self.high = float(min(values)), float(max(values))
            self.log = self.low > 0 and self.high >= 10 * self.low if log is None else log

    def place(self, value: Any) -> float:
        """Return where a value lies; not a number for one that a trial does not have."""
        if value is None:
            return math.nan
        number = float(value) if self._choices is None else float(self._choices.index(str(value)))
        return self._share(number)

    def ticks(self) -> list[tuple[float, str]]:
        """Return places with their names: the powers of ten within, the choices, or both ends and the middle."""
        if self._choices is not None:
            return [(self._share(place), name) for place, name in enumerate(self._choices)]
        if self.log:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [(self._share(10.0**power), f"$10^{{{power}}}$") for power in powers]
        return [(self._share(each), f"{each:.3g}") for each in (self.low, (self.low + self.high) / 2, self.high)]

    def _share(self, number: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, number = math.log10(low), math.log10(high), math.log10(number)
        return 0.5 if low == high else (number - low) / (high - low)


def _draw_scale(axes: "Axes", place: int, scale: _Scale) -> None:
    axes.axvline(place, color=MUTED, linewidth=0.9)
    for height, name in scale.ticks():
        axes.plot([place, place + 0.025], [height, height], color=MUTED, linewidth=0.9)
        axes.text(place + 0.04, height, name, fontsize=8, va="center", color=INK, bbox=_PAPER)


_PAPER = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
