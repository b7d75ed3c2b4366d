"""What the rows of a table say: a file, its value and, if wished, its split; or why a row cannot be used.

    path,value,split
    pictures/one.png,3.5,training
    pictures/two.png,0.25,test

The first row names the columns, in any order and among any others. Paths lead from the table's own folder and never out
of it, with `/` or the backslash of Windows between folders; values are any finite numbers; a split is training,
validation or test, by any name that a folder of a split may have.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from data.arrays import SPLITS
from data.errors import DatasetError, Rejected, counted
from data.layout import names_of, split_called
from data.members import Quota, plain_path, shown
from data.options import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.members import Limits

    Lines = list[tuple[int, list[str]]]

NOT_UTF_8: Final = "is not text in UTF-8; save it as UTF-8"
_GLANCE: Final = 1000
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:/+", re.IGNORECASE)

MOST: Final = 1e18
"""Larger values are refused: in float32, in which values are stored, their squares would soon be infinite."""

FINEST: Final = 1e-4
"""The part of a table's whole range within which values need not be told apart."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How many columns a table has, and the places of those that are read; `split` is None where there is none."""

    count: int
    path: int
    value: int
    split: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its number, a file, its value, and its split if the table says."""

    number: int
    path: str
    value: float
    split: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a table lists: the rows that can be used, those that cannot with their reasons, and the table's SHA-256."""

    rows: tuple[Row, ...]
    rejected: tuple[Rejected, ...]
    sha256: str


def read_rows(table: Path, limits: Limits, names: tuple[str, str, str] = COLUMNS) -> Listing:
    """Read a table, none of whose files is touched, whose columns for path, value and split have those `names`.

    Raises DatasetError where it cannot be read, lacks a column, lists more files than a source may hold, or has
    values that float32 would merge.
    """
    content = _content(table, limits.file_bytes)
    rows: list[Row] = []
    rejected: list[Rejected] = []
    columns, lines = _lines(table, content, names, Quota(str(table), limits))
    for number, line in lines:
        given = line[columns.path] if columns.path < len(line) else line[0]
        path = "" if _URL.match(given) else plain_path(given.replace("\\", "/"))
        try:
            rows.append(_row(number, path, line, columns))
        except DatasetError as error:
            rejected.append(Rejected(path or shown(given), f"row {number} {error}"))
    kept, twins = _without_twins(rows)
    _check_float32(table, sorted({row.value for row in kept}))
    return Listing(tuple(kept), (*rejected, *twins), hashlib.sha256(content).hexdigest())


def _content(table: Path, most_bytes: int) -> bytes:
    try:
        with table.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise DatasetError(f"{table} cannot be read: {error.strerror}") from error
    if len(content) > most_bytes:
        raise DatasetError(f"{table} is larger than {most_bytes} bytes, the limit for one file")
    return content


def _lines(table: Path, content: bytes, names: tuple[str, str, str], quota: Quota) -> tuple[Columns, Lines]:
    """Return which columns there are, and the cells of each row with its number, by which an editor finds it."""
    try:
        text = content.decode("utf-8-sig")
        _check_form(table, text)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
        stripped = ((reader.line_num, [cell.strip() for cell in line]) for line in reader)
        filled = ((number, line) for number, line in stripped if any(line))
        columns = _find_columns(table, next(filled, (0, []))[1], names)
        return columns, list(_counted(filled, quota))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{table} {NOT_UTF_8}") from error
    except csv.Error as error:
        raise DatasetError(f"{table} is not a table of comma-separated values: {error}") from error


def _check_form(table: Path, text: str) -> None:
    """Raise DatasetError where a table's first line says that it is of another encoding or has another separator."""
    first = "".join(text.lstrip("\r\n")[:_GLANCE].splitlines()[:1])
    if "\0" in first:  # UTF-16 without the mark that is no UTF-8
        raise DatasetError(f"{table} {NOT_UTF_8}")
    if "," not in first and (";" in first or "\t" in first):
        raise DatasetError(f"{table} begins with {shown(first)}; save it with commas between its columns")


def _find_columns(table: Path, first: list[str], wanted: tuple[str, str, str]) -> Columns:
    """Find the columns that are `wanted` among those of the first row, in any order; others may hold anything.

    Raises DatasetError where one that is needed is missing, or one is there twice.
    """
    names = [name.lower() for name in first]
    path, value, split = (
        [place for place, name in enumerate(names) if name == name_wanted.lower()] for name_wanted in wanted
    )
    if len(path) != 1 or len(value) != 1 or len(split) > 1:
        raise DatasetError(
            f"{table} begins with {shown(','.join(first))}; its first row must name the columns {wanted[0]} and "
            f"{wanted[1]}, and may name {wanted[2]}, each of them once; where they have other names, say which, as in "
            "--columns file=path,age=value"
        )
    return Columns(len(names), path[0], value[0], split[0] if split else None)


def _counted(lines: Iterator[tuple[int, list[str]]], quota: Quota) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, each counted before the next is read, since a row of two bytes takes a hundred in memory."""
    for line in lines:
        quota.count()
        yield line


def _row(number: int, path: str, line: list[str], columns: Columns) -> Row:
    """Return what a row says; raises DatasetError with the reason, as the rest of a sentence, where that is nothing."""
    if len(line) != columns.count:
        raise DatasetError(
            f"has {counted(len(line), 'column')}, not {columns.count}; put a text that has commas between quotes, and "
            "write decimals with a point"
        )
    text, split = line[columns.value], None if columns.split is None else line[columns.split]
    if not path:
        raise DatasetError(f"names no plain path inside the table's folder{_hint(line[columns.path])}")
    try:
        value = math.nan if "_" in text else float(text)  # which Python reads over: 12_5 would be 125
    except ValueError:
        value = math.nan
    if not abs(value) < MOST:
        hint = ", with a decimal point in place of the comma" if "," in text else ""
        raise DatasetError(f"has the value {shown(text)}; it must be a number below {MOST:g} in size{hint}")
    meant = None if split is None else split_called(split)
    if split is not None and not meant:
        raise DatasetError(f"has the split {shown(split)}; known are {'; '.join(map(names_of, SPLITS))}")
    return Row(number, path, value, meant)


def _hint(path: str) -> str:
    """Say what to do about a path that is none."""
    if path.startswith(("/", "\\")) or path[1:2] == ":":
        return "; write it relative to that folder"
    return ", but a URL; download the images, and list the files" if _URL.match(path) else ""


def _without_twins(rows: list[Row]) -> tuple[list[Row], list[Rejected]]:
    """Keep the first of the rows that say the same of a file, and none of those that contradict each other."""
    by_path: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_path[row.path].append(row)
    kept, rejected = [], []
    for path, same in by_path.items():
        first, *others = same
        if len({(row.value, row.split) for row in same}) == 1:
            kept.append(first)
            rejected += [
                Rejected(path, f"row {row.number} lists it again, as row {first.number} does") for row in others
            ]
        else:
            numbers = ", ".join(str(row.number) for row in same)
            rejected.append(Rejected(path, f"rows {numbers} list it with different values or splits"))
    return kept, rejected


def _check_float32(table: Path, values: list[float]) -> None:
    """Raise DatasetError where different values, given in ascending order, become the same in float32.

    Those that lie closer than `FINEST` may: of many that are finely measured some do, and no network tells them apart.
    """
    near = FINEST * (values[-1] - values[0]) if values else 0.0
    apart = [(one, other) for one, other in pairwise(values) if other - one > near]
    if merged := [(one, other) for one, other in apart if np.float32(one) == np.float32(other)]:
        one, other = merged[0]
        raise DatasetError(
            f"{table} has the values {one!r} and {other!r}, which are the same in float32, in which values are stored; "
            f"{counted(len(merged), 'such pair')} in all; subtract an offset, so that the values lie about 0"
        )
