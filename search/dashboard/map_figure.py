"""The search map as a figure for the dashboard, in Plotly's JSON; without Plotly, which takes a second to import."""

from collections.abc import Sequence
from typing import Any

from search.counting import counted, decimal
from search.results.search_map import Axis, MapBox, MapTrial, SearchMap, colour_limits

_SYMBOLS = ("circle", "diamond", "square", "cross")
_LINES = ("dash", "solid", "dot", "dashdot")


def map_figure(found: SearchMap) -> dict[str, Any]:
    """Return the figure: the parameters on their axes, trials coloured by their measure, the stages' boxes."""
    traces = [_box(box, index) for index, box in enumerate(found.boxes)]
    for index, box in enumerate(found.boxes):
        trials = [trial for trial in found.trials if trial.stage == box.stage]
        if trials:
            traces.append(_trials(trials, found.task.score.unit, _SYMBOLS[index % len(_SYMBOLS)]))
    if found.marked:
        traces.append(_marked(found.marked, found.mark, found.task.score.unit))
    return {"data": traces, "layout": _layout(found)}


def _trials(trials: Sequence[MapTrial], unit: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"stage {trials[0].stage}: {counted(len(trials), 'trial')}",
        "x": [_short(trial.x) for trial in trials],
        "y": [_short(trial.y) for trial in trials],
        "customdata": [trial.number for trial in trials],
        "marker": {
            "color": [_short(trial.measure) for trial in trials],
            "coloraxis": "coloraxis",
            "symbol": symbol,
            "size": 9,
            "line": {"width": 0.5, "color": "white"},
        },
        "hovertemplate": f"trial %{{customdata}}<br>%{{x:.3g}}, %{{y:.3g}}<br>%{{marker.color:.3~g}} {unit}".rstrip(),
    }


def _marked(trial: MapTrial, mark: str, unit: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{mark}: trial {trial.number}, {decimal(trial.measure, '.2f')} {unit}".rstrip(),
        "x": [_short(trial.x)],
        "y": [_short(trial.y)],
        "marker": {"symbol": "star-open", "size": 20, "color": "#d62728", "line": {"width": 2}},
        "hoverinfo": "name",
    }


def _box(box: MapBox, index: int) -> dict[str, Any]:
    (left, right), (low, high) = box.x, box.y
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"box of stage {box.stage}",
        "x": [left, right, right, left, left],
        "y": [low, low, high, high, low],
        "line": {"color": "#7f7f7f", "width": 2, "dash": _LINES[index % len(_LINES)]},
        "hoverinfo": "name",
    }


def _layout(found: SearchMap) -> dict[str, Any]:
    score = found.task.score
    bar = {"title": {"text": found.measure_label}}
    # Dark is good, as in the report.
    colours: dict[str, Any] = {"colorscale": "Viridis", "reversescale": score.direction == "maximize", "colorbar": bar}
    if found.trials:
        low, high = colour_limits([trial.measure for trial in found.trials], score)
        colours |= {"cmin": _short(low), "cmax": _short(high)}
    return {
        "title": {"text": f"Search map of {found.study}"},
        "xaxis": _axis(found.x),
        "yaxis": _axis(found.y),
        "coloraxis": colours,
        "legend": {"orientation": "h", "y": -0.3},
        "margin": {"t": 50, "b": 10},
    }


def _axis(axis: Axis) -> dict[str, Any]:
    shape = {"type": "log", "exponentformat": "power", "dtick": 1} if axis.log else {"type": "linear"}
    return {**shape, "title": {"text": axis.title}}


def _short(value: float) -> float:
    return float(f"{value:.4g}")
