"""The dataset in the report: Table I beside the paper's, and Figure 1."""

from pathlib import Path

from data.arrays import SPLITS
from data.dataset import read_labels
from data.figures import histograms
from data.statistics import DatasetStatistics, dataset_statistics
from search.report.paper import TABLE_1
from search.report.sections import Cell, Column, Figure, Section, Table


def dataset_section(path: Path) -> Section:
    """Describe a dataset file; raises DatasetError where it is none."""
    statistics = dataset_statistics(path)
    figure = Figure(
        "figure-1-labels",
        "Figure 1. How many images there are of each age, split by split.",
        "Histograms of the ages in the three splits.",
        histograms({name: read_labels(path, name) for name in SPLITS}),
    )
    height, width, channels = statistics.image_shape
    colours = "grayscale" if channels == 1 else "colour"
    text = f"{path.name}: {height}×{width} {colours} images with the age in years of each. Digest {statistics.digest}."
    return Section("Dataset", (text,), (_table(statistics), figure))


def _table(statistics: DatasetStatistics) -> Table:
    columns = (
        Column("split"),
        Column("images", ",d"),
        Column("mean (years)", ".2f"),
        Column("SD", ".2f"),
        Column("25 %", "g"),
        Column("50 %", "g"),
        Column("75 %", "g"),
        Column("always the median: MAE", ".2f"),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, ours in statistics.splits.items():
        paper = TABLE_1[name]
        quartiles = (ours.quartile_1, ours.median, ours.quartile_3)
        rows.append((name, ours.count, ours.mean, ours.sd, *quartiles, ours.median_mae))
        quartiles = (paper.quartile_1, paper.median, paper.quartile_3)
        rows.append((f"{name}, paper", paper.count, paper.mean, paper.sd, *quartiles, None))
    caption = "Table I. The labels of the splits, beside the paper's. The last column is a constant answer's error."
    return Table("table-1-dataset", caption, columns, tuple(rows))
