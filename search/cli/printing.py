"""What the commands print with: the answer on stdout, progress and remarks on stderr."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.build import Progress


def answer(text: str) -> None:
    """Print a line of the answer, at once even into a pipe."""
    print(text, flush=True)  # noqa: T201 - what the command is for


def remark(text: str) -> None:
    """Print a line that is no part of the answer."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - for the user who looks on


def answer_json(value: Any) -> None:
    """Print the whole answer, in which dataclasses may be, as JSON; a number that there is none of is None, not NaN."""
    answer(json.dumps(value, indent=2, allow_nan=False, default=asdict))


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Align rows of text, the heading first: the first column to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


@contextmanager
def progress_bar(description: str) -> "Iterator[Progress]":
    """Show a bar on stderr, if that is a terminal; the block calls what it is given with (done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*shown, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(description, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)
