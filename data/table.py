"""Images that a table lists: a .csv file with the columns path, value and, if wished, split.

Without the column `split` the images are divided in the paper's proportions, alike at every value.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from typing import TYPE_CHECKING, Final

from data.arrays import SPLITS
from data.collecting import Collected, Image, check_memory, collected
from data.decoding import Decoder
from data.errors import DatasetError, Rejected
from data.layout import Layout
from data.members import content_digest
from data.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.collecting import Progress
    from data.options import BuildOptions
    from data.rows import Row

SUFFIX: Final = ".csv"


def is_table(source: Path) -> bool:
    """Whether a source is a table, as its name says."""
    return source.suffix.lower() == SUFFIX and source.is_file()


def collect_table(table: Path, options: BuildOptions, progress: Progress, *, whole: bool = True) -> Collected:
    """Read the rows of a table and decode the images that they name, and sort them into splits, by name within one.

    Splits may be empty where a dataset need not be `whole`.
    Raises RejectedFilesError for rows that, or whose images, cannot be used unless `options.skip_bad`, and DatasetError
    where the table itself cannot be read, its rows are too many, or a split is left empty.
    """
    listing = read_rows(table, options.limits, options.columns)
    if whole and not listing.rejected:
        _check_splits(table, listing.rows)
    check_memory(len(listing.rows), options)
    images: list[Image] = []
    rejected = list(listing.rejected)
    digests = [(table.name, listing.sha256)]
    with Decoder() as decoder:
        for done, row in enumerate(listing.rows, start=1):
            try:
                file = _file(table, row, options)
                pixels = decoder.decode(file, options.image_size, options.channels)
                images.append(Image(row.path, row.value, row.split, pixels, hashlib.sha256(file).hexdigest()))
                digests.append((row.path, images[-1].sha256))
            except DatasetError as error:
                rejected.append(Rejected(row.path, str(error)))
            progress(done, len(listing.rows))
    return collected(Layout.TABLE, str(table), images, rejected, content_digest(digests), options, whole=whole)


def _check_splits(table: Path, rows: Sequence[Row]) -> None:
    """Raise DatasetError, before an image is decoded, where a table says the splits but names none for one of them."""
    named = {row.split for row in rows}
    missing = [split for split in SPLITS if split not in named]
    if rows and None not in named and missing:
        raise DatasetError(f"{table}: the column split names no row as {' or '.join(missing)}")


def listed_file(table: Path, name: str) -> Path:
    """Return where the file lies that a row names; of the ways in which Unicode can spell the name, the one there is.

    A copy from a Mac may spell its names in another way than the table does, though they look the same.
    """
    spelt = (name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))
    paths = [table.parent / each for each in spelt]
    return next((path for path in paths if os.access(path, os.F_OK)), paths[0])


def _file(table: Path, row: Row, options: BuildOptions) -> bytes:
    """Return the bytes of a row's file; raises DatasetError with the reason where it cannot be used."""
    try:
        path = listed_file(table, row.path)
        if not options.follow_links and not path.resolve().is_relative_to(table.parent.resolve()):
            raise DatasetError(
                f"it is a link that leads out of {table.parent}; pass --follow-links to read what links lead to"
            )
        if not path.is_file():
            raise DatasetError("there is no such file")
        with path.open("rb") as file:
            content = file.read(options.limits.file_bytes + 1)
    except OSError as error:
        raise DatasetError(f"it cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # as Python before 3.13 says of a link to itself
        raise DatasetError("it is a link that leads in a circle") from error
    options.limits.check_file(content)
    return content
