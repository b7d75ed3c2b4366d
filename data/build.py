"""Building a dataset file from a folder, an archive, a table, or faces of our own drawing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data.collecting import Collected, Progress, collect
from data.dataset import make_dataset, write_dataset
from data.errors import DatasetError
from data.files import Kind, check_replaceable, check_writable
from data.layout import Layout
from data.options import COLUMNS, BuildOptions
from data.sources import KNOWN, open_source
from data.synthetic import draw_splits, synthetic_digest
from data.table import collect_table, is_table

if TYPE_CHECKING:
    from data.errors import Rejected

__all__ = ["SYNTHETIC", "BuildOptions", "BuildReport", "Progress", "build_dataset", "collect_source"]

SYNTHETIC: Final = "synthetic"
"""The source that stands for faces of our own drawing; a folder of that name is reached as ./synthetic."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build wrote.

    `counts` are the images of each split, `rejected` the files left out with their reasons, `duplicates` the groups of
    byte-identical images, `shared` those of them that lie in more than one split (possible where the source says the
    splits), and `contradicting` those with different labels, of the first of which `contradiction` tells two.
    """

    path: Path
    layout: str
    counts: dict[str, int]
    image_shape: tuple[int, int, int]
    digest: str
    source: str
    source_digest: str
    rejected: tuple[Rejected, ...]
    duplicates: int
    shared: int
    contradicting: int
    contradiction: str

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return asdict(self) | {"path": str(self.path)}


def build_dataset(
    source: str | Path, out: Path, options: BuildOptions | None = None, progress: Progress | None = None
) -> BuildReport:
    """Build the dataset file `out` from a folder, a .zip, a .tar(.gz), a .csv, or the word `synthetic`.

    The file is written whole at the end, or not at all. Raises RejectedFilesError listing the files that cannot be used
    unless `options.skip_bad`, and DatasetError where the source or `out` cannot be used.
    """
    options = options or BuildOptions()
    check_writable(out)
    if source != SYNTHETIC and out.exists() and out.samefile(_existing(Path(source))):
        raise DatasetError(f"{out} is the source itself; choose another --out")
    check_replaceable(out, Kind.DATASET)
    collected = collect_source(source, options, progress)
    dataset = make_dataset(
        collected.splits,
        Path(source).name.encode(errors="replace").decode() or "source",  # for people, where it is not UTF-8
        collected.source_digest,
        options.as_json(collected.layout.value),
    )
    write_dataset(out, dataset)
    height, width, channels = dataset.training.images.shape[1:]
    return BuildReport(
        path=out,
        layout=collected.layout.value,
        counts={name: len(split) for name, split in collected.splits.items()},
        image_shape=(height, width, channels),
        digest=dataset.digest,
        source=dataset.source,
        source_digest=dataset.source_digest,
        rejected=collected.rejected,
        duplicates=collected.duplicates,
        shared=collected.shared,
        contradicting=collected.contradicting,
        contradiction=collected.contradiction,
    )


def collect_source(
    source: str | Path, options: BuildOptions, progress: Progress | None = None, built: Layout | None = None
) -> Collected:
    """Return the splits that `build_dataset` would write, without writing them; raises the same errors.

    Of a source that a dataset of the layout `built` came from, any part may be gone since, and splits be empty.
    """
    progress = progress or _quiet
    if source == SYNTHETIC:
        if options.channels != 1:
            raise DatasetError(f"channels is {options.channels}, but synthetic faces are gray; leave it at 1")
        splits = draw_splits(options, progress)
        return Collected(Layout.SYNTHETIC, splits, (), synthetic_digest(options))
    if is_table(Path(source)):
        return collect_table(Path(source), options, progress, whole=built is None)
    if options.columns != COLUMNS:
        raise DatasetError(
            f"columns are {', '.join(options.columns)}, but {source} is no .csv, which alone has columns"
        )
    opened = open_source(Path(source), options.limits, follow_links=options.follow_links)
    return collect(opened, options, progress, built)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise DatasetError(f"{path} does not exist; give {KNOWN}")
    return path


def _quiet(_done: int, _total: int) -> None:
    """Show no progress."""
