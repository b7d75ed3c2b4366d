"""Figure 1: the label histograms of the three splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.arrays import SPLITS
from data.dataset import read_labels
from data.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


def draw_dataset_histograms(dataset: Path, path: Path) -> None:
    """Draw Figure 1 of a dataset file as the PNG `path`; raises DatasetError where either cannot be used."""
    draw_histograms({name: read_labels(dataset, name) for name in SPLITS}, path)


def draw_histograms(labels: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Draw one panel a split, a bar a year, as the PNG `path`, written whole.

    `labels` are ages (N,) in years by split. Needs no display and leaves matplotlib's global state alone.
    Raises DatasetError where the file cannot be written.
    """
    # Slow to import, and needed by this function alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(labels), 3.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    highest = max(float(ages.max(initial=1)) for ages in labels.values())
    edges = np.arange(0, np.floor(highest) + 2) - 0.5
    for place, (name, ages) in enumerate(labels.items(), start=1):
        panel = figure.add_subplot(1, len(labels), place)
        panel.hist(ages, bins=edges.tolist(), color="#33658a")
        panel.set_title(f"{name} ({len(ages):,} images)")
        panel.set_xlabel("age (years)")
        panel.set_xlim(edges[0], edges[-1])
        panel.spines[["top", "right"]].set_visible(False)
        if place == 1:
            panel.set_ylabel("images")
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png")
