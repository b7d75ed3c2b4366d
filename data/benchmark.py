"""How long it takes to load all images one by one from their source, and from the dataset file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

from data.arrays import SPLITS
from data.build import SYNTHETIC
from data.dataset import inspect_dataset, open_dataset, read_split
from data.errors import DatasetError
from data.images import decode_image, read_image
from data.members import Limits
from data.options import stored_options
from data.rows import read_rows
from data.sources import open_source
from data.table import is_table, listed_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from data.build import Progress
    from data.options import BuildOptions

    Shape = tuple[int, int, int]

PAPER_SECONDS: Final = (13.473, 1.66)
"""The paper's times for the image files and for the HDF5 file (ratio 8.1)."""

LOADS_A_PAIR: Final = 8
"""A load takes some 20 ms, too little to be timed once on a machine that does other things as well."""


@dataclass(frozen=True, slots=True)
class LoadingTimes:
    """Seconds for loading `images` images: medians of `repeats` pairs, and the median of the pairs' ratios.

    The HDF5 time of a pair is the mean of eight loads in a row. Both ways end with every pixel in memory as uint8, and
    both find their files in the page cache.
    """

    images: int
    repeats: int
    file_seconds: float
    hdf5_seconds: float
    ratio: float


def time_loading(path: Path, source: str | Path, repeats: int = 5, progress: Progress | None = None) -> LoadingTimes:
    """Load the dataset's images from `source` and from the dataset file, in turns, and compare the times.

    Raises DatasetError where either cannot be used, where the source lacks an image of the dataset, and for
    `synthetic`, which has no image files.
    """
    if source == SYNTHETIC:
        raise DatasetError("source is synthetic, which has no image files to time; give a folder, an archive or a .csv")
    if repeats < 1:
        raise DatasetError(f"repeats is {repeats}, at least 1 is needed")
    names = {name for split in SPLITS for name in read_split(path, split).names}
    pairs = []
    for done in range(repeats):
        pairs.append((_time_files(path, Path(source), names), _time_hdf5(path)))
        if progress:
            progress(done + 1, repeats)
    return LoadingTimes(
        images=len(names),
        repeats=repeats,
        file_seconds=median(files for files, _ in pairs),
        hdf5_seconds=median(hdf5 for _, hdf5 in pairs),
        ratio=median(files / hdf5 for files, hdf5 in pairs),
    )


def _time_files(path: Path, source: Path, names: set[str]) -> float:
    """Decode each image of the source that the dataset holds; returns seconds."""
    info = inspect_dataset(path)
    _, options = stored_options(info.options)
    start = perf_counter()
    images = (_listed if is_table(source) else _held)(source, names, info.image_shape, options)
    seconds = perf_counter() - start
    if len(images) != len(names):
        raise DatasetError(f"{source} has {len(images)} of the {len(names)} images of {path}; give its own source")
    return seconds


def _held(path: Path, names: set[str], shape: Shape, options: BuildOptions) -> list[NDArray[np.uint8]]:
    """Decode the images of those names in a folder or an archive."""
    source = open_source(path, follow_links=options.follow_links)
    prefix = len(source.prefix)
    return [
        decode_image(member.content, shape[:2], shape[2]) for member in source.read() if member.name[prefix:] in names
    ]


def _listed(table: Path, names: set[str], shape: Shape, options: BuildOptions) -> list[NDArray[np.uint8]]:
    """Decode the images of those names that a table lists."""
    rows = read_rows(table, Limits(), options.columns).rows
    return [read_image(listed_file(table, row.path), shape[:2], shape[2]) for row in rows if row.path in names]


def _time_hdf5(path: Path) -> float:
    """Open the dataset and read all of it, several times over; returns the mean seconds of one time."""
    start = perf_counter()
    for _ in range(LOADS_A_PAIR):
        open_dataset(path, verify=False)  # which decoding the images one by one does not do either
    return (perf_counter() - start) / LOADS_A_PAIR
