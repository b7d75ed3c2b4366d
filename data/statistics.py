"""Table I, how many images each split has and how their labels are distributed; and the same as pictures (Figure 1)."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.arrays import SPLITS
from data.dataset import inspect_dataset, read_labels
from data.errors import DatasetError
from data.files import Kind, check_replaceable, write_bytes
from data.options import YEARS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LabelStatistics:
    """The labels of one split.

    `sd` is the sample standard deviation (divided by N - 1), `median_mae` the mean absolute error of always
    answering the split's own median.
    """

    count: int
    mean: float
    sd: float
    minimum: float
    quartile_1: float
    median: float
    quartile_3: float
    maximum: float
    median_mae: float


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """Table I of a dataset: the label statistics of its splits; `unit` is that of the labels, "" for none."""

    digest: str
    image_shape: tuple[int, int, int]
    unit: str
    splits: dict[str, LabelStatistics]

    @property
    def decimals(self) -> int:
        """The decimals that say something: Table I's two of ages, of other labels those of a hundredth of their SD."""
        labels = self.splits[SPLITS[0]]
        spread = labels.sd or abs(labels.mean) / 100
        if self.unit == YEARS or not spread:
            return 2
        return max(0, 2 - math.floor(math.log10(spread)))


def label_statistics(labels: NDArray[np.float32]) -> LabelStatistics:
    """Describe labels (N,); a single label has a standard deviation of 0. Raises DatasetError for none."""
    if len(labels) == 0:
        raise DatasetError("labels are empty, so they have no statistics")
    values = labels.astype(np.float64)
    first, median, third = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
    return LabelStatistics(
        count=len(values),
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        minimum=float(values.min()),
        quartile_1=first,
        median=median,
        quartile_3=third,
        maximum=float(values.max()),
        median_mae=float(np.abs(values - median).mean()),
    )


def dataset_statistics(path: Path) -> DatasetStatistics:
    """Return Table I of a dataset file; raises DatasetError where it cannot be read."""
    info = inspect_dataset(path)
    splits = {name: label_statistics(read_labels(path, name)) for name in SPLITS}
    return DatasetStatistics(info.digest, info.image_shape, info.unit, splits)


def format_statistics(statistics: DatasetStatistics) -> str:
    """Return Table I as aligned text, in the paper's columns."""
    form = f".{statistics.decimals}f"
    rows = [["", "samples", "mean", "SD", "25 %", "50 %", "75 %"]]
    for name, one in statistics.splits.items():
        quartiles = (f"{each:.7g}" for each in (one.quartile_1, one.median, one.quartile_3))
        rows.append([name, str(one.count), format(one.mean, form), format(one.sd, form), *quartiles])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = zip(cells, widths, strict=True)
    return "  ".join([name[0].ljust(name[1]), *(cell.rjust(width) for cell, width in numbers)])


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
