"""Pictures of a dataset: the label histograms of its splits (paper, Figure 1), and images with captions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from data.arrays import SPLITS
from data.dataset import read_labels
from data.files import check_writable, write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def draw_dataset_histograms(dataset: Path, path: Path) -> None:
    """Draw Figure 1 of a dataset file as the PNG `path`; raises DatasetError where either cannot be used."""
    draw_histograms({name: read_labels(dataset, name) for name in SPLITS}, path)


def draw_histograms(labels: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Draw `histograms` of `labels` as the PNG `path`; raises DatasetError where the file cannot be written."""
    check_writable(path)
    write_bytes(path, histograms(labels))


def histograms(labels: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Draw one panel a split, a bar a year, as a PNG; `labels` are ages (N,) in years by split.

    Needs no display and leaves matplotlib's global state alone.
    """
    # Slow to import, and needed by this function alone.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.6 * len(labels), 2.6), dpi=160, layout="constrained")
    highest = max(float(ages.max(initial=1)) for ages in labels.values())
    edges = np.arange(0, np.floor(highest) + 2) - 0.5
    for place, (name, ages) in enumerate(labels.items(), start=1):
        panel = figure.add_subplot(1, len(labels), place)
        panel.hist(ages, bins=edges.tolist(), color="#0072B2")
        panel.set_title(f"{name} ({len(ages):,} images)", fontsize=9, loc="left")
        panel.set_xlabel("age (years)")
        panel.set_xlim(edges[0], edges[-1])
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=8)
        if place == 1:
            panel.set_ylabel("images")
    return _png(figure)


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
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
