"""A trial's learning curve as an SVG picture, written by hand: a plotting library takes a thousand times as long."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.counting import decimal

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 60, 140, 40, 50
TRAINING, VALIDATION, GRID, TEXT = "#1f77b4", "#d62728", "#d9d9d9", "#333333"
_LINE_HEIGHT = 16.0


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where the values from low to high lie on the picture."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def draw_curve(training: Mapping[int, float], validation: float | None, title: str, errors: str) -> bytes:
    """Return a picture of the training MAE of each epoch, and of the validation MAE at the end, if any.

    `errors` is their axis' name.
    """
    epochs = sorted(training)
    marks = _marks([*training.values(), *([] if validation is None else [validation])])
    across = _Axis(epochs[0], max(epochs[-1], epochs[0] + 1), LEFT, WIDTH - RIGHT)
    up = _Axis(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    points = [(across.at(epoch), up.at(training[epoch])) for epoch in epochs]
    ends = [(points[-1], f"training {decimal(training[epochs[-1]], '.2f')}", TRAINING)]
    if validation is not None:
        ends.append(((points[-1][0], up.at(validation)), f"validation {decimal(validation, '.2f')}", VALIDATION))
    return _picture(
        [
            _text(LEFT, 22, title),
            *(_mark(up.at(mark), f"{mark:g}") for mark in marks),
            *(_text(across.at(epoch), HEIGHT - BOTTOM + 20, str(epoch), "middle") for epoch in _few(epochs)),
            _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "epoch (training) and end (validation)", "middle"),
            _text(0, 0, errors, "middle", f' transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"'),
            _line(points),
            *(_dot(point, TRAINING) for point in points),
            *(_dot(point, colour) for point, _, colour in ends),
            *(_text(WIDTH - RIGHT + 10, y + 4, label, colour=colour) for y, label, colour in _apart(ends)),
        ]
    )


def _marks(values: Sequence[float]) -> list[float]:
    """Return round numbers, a step of 1, 2 or 5 apart, that begin below the values and end above them."""
    low, high = min(values), max(values)
    rough = max(high - low, abs(high) / 10, 1e-9) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.floor(low / step)
    count = max(math.ceil(high / step) - first, 1)
    return [(first + index) * step for index in range(count + 1)]


def _few(epochs: Sequence[int]) -> Sequence[int]:
    every = math.ceil(len(epochs) / 12)
    return epochs[::every]


def _apart(ends: Sequence[tuple[tuple[float, float], str, str]]) -> list[tuple[float, str, str]]:
    """Move labels that would cover each other apart, downwards."""
    placed: list[tuple[float, str, str]] = []
    for (_, y), label, colour in sorted(ends, key=lambda end: end[0][1]):
        placed.append((max(y, placed[-1][0] + _LINE_HEIGHT) if placed else y, label, colour))
    return placed


def _picture(parts: Sequence[str]) -> bytes:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13">'
    )
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    return "\n".join([head, ground, *parts, "</svg>\n"]).encode()


def _text(x: float, y: float, text: str, anchor: str = "start", more: str = "", *, colour: str = TEXT) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{safe}</text>'


def _mark(y: float, label: str) -> str:
    line = f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
    return line + _text(LEFT - 8, y + 4, label, "end")


def _line(points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{TRAINING}" stroke-width="2" points="{path}"/>'


def _dot(point: tuple[float, float], colour: str) -> str:
    return f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="3.5" fill="{colour}"/>'
