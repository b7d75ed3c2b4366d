"""The dataset in the report: Table I next to the paper's, and Figure 1."""

from pathlib import Path

from data.arrays import SPLITS
from data.dataset import read_labels
from data.statistics import DatasetStatistics, dataset_statistics, histograms
from model.results.quantity import Quantity
from search.report.paper import TABLE_1
from search.report.sections import Cell, Column, Figure, Section, Table


def dataset_section(path: Path) -> Section:
    """Describe a dataset file; raises DatasetError where it is none."""
    statistics = dataset_statistics(path)
    quantity = Quantity(statistics.unit)
    noun = quantity.noun
    figure = Figure(
        "figure-1-labels",
        f"Figure 1. Number of images of each {noun}, split by split.",
        f"Histograms of the {noun}s in the three splits.",
        histograms({name: read_labels(path, name) for name in SPLITS}, quantity.label(noun)),
    )
    height, width, channels = statistics.image_shape
    colours = "grayscale" if channels == 1 else "colour"
    labels = f"the {quantity.label(noun)} of each"
    text = f"{path.name}: {height}×{width} {colours} images with {labels}. Digest {statistics.digest}."
    return Section("Dataset", (text,), (_table(statistics, quantity), figure))


def _table(statistics: DatasetStatistics, quantity: Quantity) -> Table:
    exact = f".{statistics.decimals}f"
    columns = (
        Column("split"),
        Column("images", ",d"),
        Column(quantity.label("mean"), exact),
        Column("SD", exact),
        Column("25 %", ".7g"),
        Column("50 %", ".7g"),
        Column("75 %", ".7g"),
        Column("always the median: MAE", exact),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, ours in statistics.splits.items():
        quartiles = (ours.quartile_1, ours.median, ours.quartile_3)
        rows.append((name, ours.count, ours.mean, ours.sd, *quartiles, ours.median_mae))
        if quantity.is_age:
            paper = TABLE_1[name]
            quartiles = (paper.quartile_1, paper.median, paper.quartile_3)
            rows.append((f"{name}, paper", paper.count, paper.mean, paper.sd, *quartiles, None))
    beside = ", beside the paper's" if quantity.is_age else ""
    caption = f"Table I. The labels of the splits{beside}. The last column is a constant answer's error."
    return Table("table-1-dataset", caption, columns, tuple(rows))
