"""A gray canvas in the coordinates of a face, and the few shapes that faces are drawn from.

Face coordinates: x to the right, y down, the face about 2 units high around (0, 0). Tones are 0 (black) to 255 (white).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

_PIXELS_A_UNIT = 0.46
"""Of the image's shorter side, at scale 1: the face then fills the crop as it does in UTKFace."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a face is in its image: shift in units, turn in radians, and scale."""

    shift_x: float
    shift_y: float
    turn: float
    scale: float


@dataclass(frozen=True, slots=True)
class Oval:
    """An ellipse: centre and half axes in units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Arc:
    """A stroke along a parabola: centre, half length, how far its ends bend away, half thickness, in units.

    It runs along x and bends in y, or with `upright` along y and bends in x.
    """

    x: float
    y: float
    length: float
    bend: float
    thickness: float
    upright: bool = False


class Canvas:
    """Gray pixels `tones`, float32 (H, W), with the face coordinates of each pixel, `x` and `y`, likewise."""

    def __init__(self, size: tuple[int, int], pose: Pose) -> None:
        height, width = size
        self._pixels = _PIXELS_A_UNIT * min(size) * pose.scale
        self._cos, self._sin = math.cos(pose.turn), math.sin(pose.turn)
        self._middle = (width - 1) / 2 + pose.shift_x * self._pixels, (height - 1) / 2 + pose.shift_y * self._pixels
        across = (np.arange(width, dtype=np.float32) - np.float32(self._middle[0])) / np.float32(self._pixels)
        down = ((np.arange(height, dtype=np.float32) - np.float32(self._middle[1])) / np.float32(self._pixels))[:, None]
        cos, sin = np.float32(self._cos), np.float32(self._sin)
        self.x: Plane = across * cos + down * sin
        self.y: Plane = down * cos - across * sin
        self.tones: Plane = np.zeros(size, np.float32)

    def edge(self, inside: Plane) -> Plane:
        """Turn distances to an edge, in units and positive inside, into a coverage 0-1 that is one pixel soft."""
        coverage: Plane = np.clip(inside * np.float32(self._pixels) + np.float32(0.5), 0, 1)
        return coverage

    def blend(self, coverage: Plane, tone: float | Plane, where: tuple[slice, slice] | None = None) -> None:
        """Lay a tone over the canvas, or over a window of it, as far as the coverage (0-1) says."""
        tones = self.tones if where is None else self.tones[where]
        tones += coverage * (np.asarray(tone, np.float32) - tones)

    def oval(self, oval: Oval, tone: float, alpha: float = 1.0) -> None:
        """Fill an ellipse, `alpha` opaque."""
        where = self._window(oval.x, oval.y, max(oval.width, oval.height))
        across = (self.x[where] - np.float32(oval.x)) / np.float32(oval.width)
        down = (self.y[where] - np.float32(oval.y)) / np.float32(oval.height)
        inside = (1 - np.sqrt(across * across + down * down)) * np.float32(min(oval.width, oval.height))
        self.blend(self.edge(inside) * np.float32(alpha), tone, where)

    def glow(self, oval: Oval, change: float) -> None:
        """Lighten (or darken) softly inside an ellipse, by `change` in its middle."""
        where = self._window(oval.x, oval.y, max(oval.width, oval.height))
        across = (self.x[where] - np.float32(oval.x)) / np.float32(oval.width)
        down = (self.y[where] - np.float32(oval.y)) / np.float32(oval.height)
        fade = np.maximum(1 - across * across - down * down, 0)
        self.tones[where] += fade * fade * np.float32(change)

    def arc(self, arc: Arc, tone: float, alpha: float = 1.0) -> None:
        """Draw a stroke that thins out towards its ends, `alpha` opaque; thinner than a pixel it gets fainter."""
        where = self._window(arc.x, arc.y, arc.length + abs(arc.bend))
        along, across = self.x[where] - np.float32(arc.x), self.y[where] - np.float32(arc.y)
        if arc.upright:
            along = self.y[where] - np.float32(arc.y)
            across = self.x[where] - np.float32(arc.x)
        part = along / np.float32(arc.length)
        part *= part
        half = max(arc.thickness, 0.5 / self._pixels)
        inside = np.float32(half) * np.maximum(1 - part, 0) - np.abs(across - np.float32(arc.bend) * part)
        faint = arc.thickness / half
        coverage = self.edge(inside) * (part < 1)
        self.blend(coverage * np.float32(alpha * faint), tone, where)

    def _window(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """Return the rows and columns that a shape within `reach` of (x, y) can touch."""
        column = self._middle[0] + (x * self._cos - y * self._sin) * self._pixels
        row = self._middle[1] + (x * self._sin + y * self._cos) * self._pixels
        margin = reach * self._pixels + 2
        height, width = self.tones.shape
        return _span(row, margin, height), _span(column, margin, width)


def _span(middle: float, margin: float, length: int) -> slice:
    return slice(max(0, min(length, math.floor(middle - margin))), max(0, min(length, math.ceil(middle + margin))))


def soft_noise(rng: np.random.Generator, size: tuple[int, int], cells: int) -> Plane:
    """Return smooth noise (H, W) of standard deviation near 0.7: a random grid of `cells` a side, interpolated."""
    grid = rng.standard_normal((cells, cells), dtype=np.float32)
    return (_weights(size[0], cells) @ grid @ _weights(size[1], cells).T).astype(np.float32, copy=False)


def _weights(length: int, cells: int) -> Plane:
    """Return the (length, cells) matrix of linear interpolation."""
    place = np.linspace(0, cells - 1, length, dtype=np.float32)[:, None]
    away = np.abs(place - np.arange(cells, dtype=np.float32))
    return np.maximum(np.float32(1) - away, np.float32(0)).astype(np.float32)


def soften(tones: Plane, times: int) -> Plane:
    """Blur with the binomial kernel (1, 2, 1) / 4 along both axes, `times` over."""
    for _ in range(times):
        padded = np.pad(tones, 1, mode="edge")
        rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) * np.float32(0.25)
        tones = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) * np.float32(0.25)
    return tones
