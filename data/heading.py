"""The first row of a table: which of its columns hold the path, the value and, if wished, the split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.errors import DatasetError
from data.members import shown

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: Final = ("path", "value", "split")
NOT_UTF_8: Final = "is not text in UTF-8; save it as UTF-8"
_GLANCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Columns:
    """How many columns a table has, and the places of those that are read; `split` is None where there is none."""

    count: int
    path: int
    value: int
    split: int | None


def check_form(table: Path, text: str) -> None:
    """Raise DatasetError where a table's first line says that it is of another encoding or has another separator."""
    first = "".join(text.lstrip("\r\n")[:_GLANCE].splitlines()[:1])
    if "\0" in first:  # UTF-16 without the mark that is no UTF-8
        raise DatasetError(f"{table} {NOT_UTF_8}")
    if "," not in first and (";" in first or "\t" in first):
        raise DatasetError(f"{table} begins with {shown(first)}; save it with commas between its columns")


def find_columns(table: Path, first: list[str]) -> Columns:
    """Find the columns that are read among those of the first row, in any order; others may hold anything.

    Raises DatasetError where one that is needed is missing, or one is there twice.
    """
    names = [name.lower() for name in first]
    path, value, split = ([place for place, name in enumerate(names) if name == each] for each in COLUMNS)
    if len(path) != 1 or len(value) != 1 or len(split) > 1:
        raise DatasetError(
            f"{table} begins with {shown(','.join(first))}; its first row must name the columns path and value, and "
            "may name split, each of them once"
        )
    return Columns(len(names), path[0], value[0], split[0] if split else None)
