"""Table I: how many images each split has and how their ages are distributed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.arrays import SPLITS
from data.dataset import inspect_dataset, read_labels
from data.errors import DatasetError
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
