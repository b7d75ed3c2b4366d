"""Pictures of a search: the map, the scores in their order, trial curves, importances."""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from model.figures.plotting import INK, PALETTE, literal, new_figure, plain, png
from search.report.colours import colour_map, colour_range
from search.results.ranking import RankedTrial
from search.results.search_map import MapBox, MapTrial, SearchMap
from search.study.task import TaskSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

SHAPES = ("o", "s", "^", "D", "v")
STEEP = 10.0
"""Scores of which the worst is so many times the best are drawn on a logarithmic axis."""


def draw_map(found: SearchMap, finalists: Collection[int]) -> bytes:
    """Draw the trials in the plane of two parameters, by colour of their error, with boxes and finalists, as a PNG.

    `finalists` are numbers of trials.
    """
    figure = new_figure(7.2, 5.0)
    axes = figure.subplots()
    axes.set(xscale="log" if found.x.log else "linear", yscale="log" if found.y.log else "linear")
    colours = colour_range([trial.measure for trial in found.trials], found.task.score)
    for box in found.boxes:
        _draw_box(axes, box)
    for stage in sorted({trial.stage for trial in found.trials}):
        _draw_stage(
            axes, [trial for trial in found.trials if trial.stage == stage], colours, colour_map(found.task.score)
        )
    _ring([trial for trial in found.trials if trial.number in finalists], axes, "finalist")
    if found.marked:
        _ring([found.marked], axes, f"{found.mark}: trial {found.marked.number}", size=190)
    plain(axes, found.x.title, found.y.title)
    _colour_bar(figure, axes, colours, found.task)
    figure.legend(loc="outside upper center", ncols=6, frameon=False, fontsize=8)
    return png(figure)


def draw_scores(trials: Sequence[RankedTrial], task: TaskSpec) -> bytes:
    """Draw every trial's score in the order of their numbers, and the best so far, as a PNG."""
    figure = new_figure(7.2, 3.2)
    axes = figure.subplots()
    for stage in sorted({trial.stage for trial in trials}):
        those = [trial for trial in trials if trial.stage == stage]
        shape, colour = SHAPES[(stage - 1) % len(SHAPES)], PALETTE[(stage - 1) % len(PALETTE)]
        numbers, scores = [trial.number for trial in those], [trial.score for trial in those]
        axes.plot(numbers, scores, shape, color=colour, markersize=4.5, alpha=0.8, label=f"stage {stage}")
    best = list(accumulate((trial.score for trial in trials), lambda *two: min(two, key=task.score.loss)))
    axes.step([trial.number for trial in trials], best, where="post", color=INK, linewidth=1.2, label="best so far")
    scores = [trial.score for trial in trials]
    if min(scores) > 0 and max(scores) > STEEP * min(scores):
        axes.set_yscale("log")
    plain(axes, "trial", task.score.labelled("score"))
    axes.legend(frameon=False, fontsize=8)
    return png(figure)


def draw_trial_curves(trials: Sequence[RankedTrial], task: TaskSpec) -> bytes:
    """Draw what each trial reported step by step, by colour of its measure at the end, as a PNG."""
    import matplotlib as mpl
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(7.2, 3.6)
    axes = figure.subplots()
    found = {trial.number: trial.measure(task.coloured_name) for trial in trials}
    colours, palette = colour_range(list(found.values()), task.score), colour_map(task.score)
    for trial in sorted(trials, key=lambda trial: -task.score.loss(found[trial.number])):
        colour = mpl.colormaps[palette](colours(found[trial.number]))
        axes.plot(range(1, len(trial.curve) + 1), trial.curve, color=colour, linewidth=1.1, marker=".")
    plain(axes, "step", task.score.labelled("reported"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _colour_bar(figure, axes, colours, task)
    return png(figure)


def draw_importances(by_stage: Mapping[int, Mapping[str, float]], task: TaskSpec) -> bytes:
    """Draw a bar for each parameter and stage, as a PNG."""
    names = list(dict.fromkeys(name for shares in by_stage.values() for name in shares))
    figure = new_figure(6.4, 0.9 + 0.28 * len(names) * len(by_stage))
    axes = figure.subplots()
    thick = 0.8 / len(by_stage)
    for place, (stage, shares) in enumerate(sorted(by_stage.items())):
        rows = [row + (place + 0.5) * thick - 0.4 for row in range(len(names))]
        widths = [100 * shares.get(name, 0.0) for name in names]
        bars = axes.barh(rows, widths, thick * 0.9, color=PALETTE[place % len(PALETTE)], label=f"stage {stage}")
        axes.bar_label(bars, fmt="%.0f %%", fontsize=8, padding=3)
    plain(axes, "share of the importance (%)", "")
    axes.set_yticks(range(len(names)), list(map(task.title_of, names)))
    axes.set_xlim(0, 108)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return png(figure)


def _colour_bar(figure: "Figure", axes: "Axes", colours: "Normalize", task: TaskSpec) -> None:
    from matplotlib.cm import ScalarMappable

    beyond = "max" if task.score.direction == "minimize" else "min"
    mappable = ScalarMappable(colours, colour_map(task.score))
    figure.colorbar(mappable, ax=axes, label=literal(task.measure_label), extend=beyond, pad=0.02)


def _draw_stage(axes: "Axes", trials: Sequence[MapTrial], colours: "Normalize", palette: str) -> None:
    stage = trials[0].stage
    axes.scatter(
        [trial.x for trial in trials],
        [trial.y for trial in trials],
        c=[trial.measure for trial in trials],
        cmap=palette,
        norm=colours,
        marker=SHAPES[(stage - 1) % len(SHAPES)],
        s=42,
        edgecolors=INK,
        linewidths=0.5,
        label=f"stage {stage}",
        zorder=3,
    )


def _draw_box(axes: "Axes", box: MapBox) -> None:
    from matplotlib.patches import Rectangle

    size = (box.x[1] - box.x[0], box.y[1] - box.y[0])
    style = ("--", "-", ":", "-.")[(box.stage - 1) % 4]
    patch = Rectangle((box.x[0], box.y[0]), *size, fill=False, edgecolor=INK, linewidth=1.1, linestyle=style)
    patch.set_label(f"box of stage {box.stage}")
    axes.add_patch(patch)
    # Ranges that nothing was drawn from yet belong to the picture, too.
    axes.plot(box.x, box.y, alpha=0)


def _ring(trials: Sequence[MapTrial], axes: "Axes", name: str, size: float = 110) -> None:
    if trials:
        places = [trial.x for trial in trials], [trial.y for trial in trials]
        colour = PALETTE[1] if name == "finalist" else INK
        axes.scatter(*places, s=size, facecolors="none", edgecolors=colour, linewidths=1.5, label=name, zorder=4)
