"""Images that a table lists: a .csv file with the columns path, value and, if wished, split.

    path,value,split
    pictures/one.png,3.5,training
    pictures/two.png,0.25,test

The first row names the columns. Paths lead from the table's own folder and never out of it; values are any finite
numbers; a split is training, validation or test, by any name that a folder of a split may have. Without the column the
images are divided in the paper's proportions, alike at every value.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.collecting import Collected, Image, collected
from data.decoding import Decoder
from data.errors import DatasetError, Rejected
from data.layout import SPLIT_FOLDERS, Layout
from data.members import Quota, content_digest, safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from data.collecting import Progress
    from data.members import Limits
    from data.options import BuildOptions

SUFFIX: Final = ".csv"
COLUMNS: Final = ("path", "value", "split")

MOST: Final = 1e18
"""Larger values are refused: in float32, in which values are stored, their squares would soon be infinite."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a file, its value, and its split if the table says."""

    path: str
    value: float
    split: str | None


def collect_table(table: Path, options: BuildOptions, progress: Progress) -> Collected:
    """Read the rows of a table and decode the images that they name, and sort them into splits, by name within one.

    Raises RejectedFilesError for rows whose image cannot be used unless `options.skip_bad`, and DatasetError where the
    table itself cannot be read, its rows are too many, or a split is left empty.
    """
    content, rows = _read(table, options.limits.file_bytes)
    quota = Quota(str(table), options.limits)
    images: list[Image] = []
    rejected: list[Rejected] = []
    digests = [(table.name, hashlib.sha256(content).hexdigest())]
    with Decoder() as decoder:
        for done, row in enumerate(rows, start=1):
            quota.count()  # beyond the limit nothing is built, as from a folder
            try:
                file = _file(table, row, options.limits)
                pixels = decoder.decode(file, options.image_size, options.channels)
                images.append(Image(row.path, row.value, row.split, pixels, hashlib.sha256(file).hexdigest()))
                digests.append((row.path, images[-1].sha256))
            except DatasetError as error:
                rejected.append(Rejected(row.path, str(error)))
            progress(done, len(rows))
    return collected(Layout.TABLE, str(table), images, rejected, content_digest(digests), options)


def _file(table: Path, row: Row, limits: Limits) -> bytes:
    """Return the bytes of a row's file; raises DatasetError with the reason where it cannot be used."""
    path = table.parent / row.path
    try:
        if not path.resolve().is_relative_to(table.parent.resolve()):
            raise DatasetError(f"it is a link that leads out of {table.parent}")
        if not path.is_file():
            raise DatasetError("there is no such file")
        with path.open("rb") as file:
            content = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise DatasetError(f"it cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # as Python before 3.13 says of a link to itself
        raise DatasetError("it is a link that leads in a circle") from error
    limits.check_file(content)
    return content


def _read(table: Path, most_bytes: int) -> tuple[bytes, list[Row]]:
    try:
        with table.open("rb") as file:
            content = file.read(most_bytes + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{table} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{table} is not text in UTF-8") from error
    if len(content) > most_bytes:
        raise DatasetError(f"{table} is larger than {most_bytes} bytes, the limit for one file")
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [(reader.line_num, line) for line in reader if line]
    except csv.Error as error:
        raise DatasetError(f"{table} is not a table of comma-separated values: {error}") from error
    heading = tuple(name.strip().lower() for name in lines[0][1]) if lines else ()
    if heading not in (COLUMNS, COLUMNS[:2]):
        raise DatasetError(
            f"{table} begins with {','.join(heading)!r}; its first row must be path,value or path,value,split"
        )
    rows = [_row(table, number, line, len(heading)) for number, line in lines[1:]]
    _require_distinct(table, rows)
    return content, rows


def _row(table: Path, number: int, line: list[str], columns: int) -> Row:
    if len(line) != columns:
        raise DatasetError(f"{table}: row {number} has {len(line)} columns, not {columns}")
    path, text, *split = (each.strip() for each in line)
    try:
        value = math.nan if "_" in text else float(text)  # which Python reads over: 12_5 would be 125
    except ValueError:
        value = math.nan
    if not abs(value) < MOST:
        raise DatasetError(f"{table}: row {number} has the value {text!r}; it must be a number below {MOST:g} in size")
    if split and split[0].lower() not in SPLIT_FOLDERS:
        raise DatasetError(f"{table}: row {number} has the split {split[0]!r}; known are training, validation and test")
    return Row(safe_name(str(table), path), value, SPLIT_FOLDERS[split[0].lower()] if split else None)


def _require_distinct(table: Path, rows: list[Row]) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.path in seen:
            raise DatasetError(f"{table} lists {row.path} more than once")
        seen.add(row.path)
