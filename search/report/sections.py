"""What a report is made of, as values: sections of text, tables and figures, and what had to be left out."""

import csv
import io
import math
from dataclasses import dataclass
from typing import TypeAlias

from model.results.quantity import Quantity
from search.counting import decimal

Cell: TypeAlias = str | int | float | None
"""What stands in a table; None is a number that there is none of."""

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, with its unit where it has one, and how its numbers are shown, as in ".2f".

    They get more decimals where it takes those to show three digits of `like`; that is the largest number of all
    columns of as many decimals, if not said otherwise: of parameters 1, of labels their spread, since 100,020 is to be
    told from 100,030.
    """

    heading: str
    form: str = ""
    like: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the name of its file, what it shows, its columns and rows; `folded` until one opens it."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False

    def shown(self) -> list[list[str]]:
        """Return the rows as text, every number in its column's form."""
        likes = [self._largest(column.form) if column.like is None else column.like for column in self.columns]
        return [
            [_shown(cell, column.form, like) for cell, column, like in zip(row, self.columns, likes, strict=True)]
            for row in self.rows
        ]

    def _largest(self, form: str) -> float:
        """Return the largest number of all columns that have as many decimals, whatever their sign."""
        alike = [column.like is None and column.form.lstrip("+") == form.lstrip("+") for column in self.columns]
        cells = (cell for row in self.rows for cell, counts in zip(row, alike, strict=True) if counts)
        return max((abs(cell) for cell in cells if isinstance(cell, float) and math.isfinite(cell)), default=0.0)

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows by headings, with all digits; headings that recur have their place behind them."""
        headings = [column.heading for column in self.columns]
        names = [f"{each} ({place + 1})" if headings.count(each) > 1 else each for place, each in enumerate(headings)]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def to_csv(self) -> bytes:
        """Return headings and rows as CSV, with all digits; what there is none of is an empty cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(column.heading for column in self.columns)
        writer.writerows(self.rows)
        return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture: the name of its file, what it shows, the same in words for those who cannot see it, and the PNG."""

    name: str
    caption: str
    alternative: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class Listing:
    """Text whose columns matter, such as a network's summary."""

    caption: str
    text: str


Part: TypeAlias = Table | Figure | Listing


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report with a title; `text` is paragraphs, shown above `parts`."""

    title: str
    text: tuple[str, ...]
    parts: tuple[Part, ...] = ()

    @property
    def anchor(self) -> str:
        """The section's name in an address."""
        return "-".join("".join(letter if letter.isalnum() else " " for letter in self.title.lower()).split())

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables, in order."""
        return tuple(part for part in self.parts if isinstance(part, Table))


@dataclass(frozen=True, slots=True)
class Words:
    """What a section says next to what was measured: title, its figure's caption, text, and what its errors are of."""

    title: str
    caption: str
    text: tuple[str, ...]
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the report would show if it had been run, and what to do about it."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report: its title, the facts at its top by name, its sections in order, and what was left out."""

    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in order."""
        return tuple(part for section in self.sections for part in section.parts if isinstance(part, Figure))

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in order."""
        return tuple(part for section in self.sections for part in section.parts if isinstance(part, Table))


def _shown(cell: Cell, form: str, like: float) -> str:
    if cell is None:
        return MISSING
    if isinstance(cell, str):
        return cell
    return (decimal(cell, form, like) if form.endswith("f") else format(cell, form)).replace("-", "−")
