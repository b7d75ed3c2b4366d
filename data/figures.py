"""Pictures of a dataset: the label histograms of its splits (paper, Figure 1), and images with captions."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

from data.arrays import SPLITS
from data.dataset import read_labels
from data.files import check_replaceable, write_bytes
from data.marks import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


MOST_BARS = 200
"""Whole numbers up to which each has a bar of its own."""

BARS = 50
"""Bars for other labels."""


def draw_dataset_histograms(dataset: Path, path: Path, name: str) -> None:
    """Draw Figure 1 of a dataset file as the PNG `path`; raises DatasetError where either cannot be used.

    `name` is what its labels are called, as in "age (years)".
    """
    check_replaceable(path, Kind.FIGURE, "--figure")
    write_bytes(path, histograms({split: read_labels(dataset, split) for split in SPLITS}, name), "--figure")


def histograms(labels: Mapping[str, NDArray[np.float32]], name: str) -> bytes:
    """Draw one panel a split as a PNG, a bar for each year of ages; `labels` (N,) by split are called `name`.

    Needs no display and leaves matplotlib's global state alone.
    """
    # Slow to import, and needed by this function alone.
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(2.6 * len(labels), 2.6), dpi=160, layout="constrained")
    edges = bounds(np.concatenate(list(labels.values())))
    for place, (split, values) in enumerate(labels.items(), start=1):
        panel = figure.add_subplot(1, len(labels), place)
        panel.hist(values, bins=edges.tolist(), color="#0072B2")
        panel.set_title(f"{split} ({len(values):,} images)", fontsize=9, loc="left")
        panel.set_xlabel(name, parse_math=False)  # a unit may be a dollar
        panel.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        panel.set_xlim(edges[0], edges[-1])
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=8)
        if place == 1:
            panel.set_ylabel("images")
    return _png(figure)


def bounds(labels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the bounds of a histogram's bars: one for each whole number, from 0 on, unless they are too many."""
    low, high = float(labels.min()), float(labels.max())
    if high - low < MOST_BARS and max(abs(low), abs(high)) < 2**53 and (labels == np.round(labels)).all():
        first = min(0.0, low) if high - min(0.0, low) < MOST_BARS else low
        return np.arange(first, high + 2) - 0.5
    margin = max(0.5, 1e-6 * abs(low))
    return np.linspace(low, high, BARS + 1) if low < high else np.array([low - margin, high + margin])


def gallery(images: NDArray[np.uint8], captions: Sequence[str]) -> bytes:
    """Draw `images` (N, H, W, C), N ≥ 1, in a row as a PNG, every pixel as it is, with a caption below each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.8 * len(images), 2.3), dpi=160, layout="constrained")
    for panel, image, caption in zip(figure.subplots(1, len(images), squeeze=False)[0], images, captions, strict=True):
        gray = image.shape[-1] == 1
        panel.imshow(image[..., 0] if gray else image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        panel.set_xlabel(caption, fontsize=9)
        panel.set(xticks=(), yticks=())
        panel.spines[:].set_visible(False)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box, such as that of a unit of 円.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(picture, format="png", metadata={"Software": "agesearch"})
    return picture.getvalue()
