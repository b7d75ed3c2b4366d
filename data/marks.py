"""How a file shows that this program wrote it: each format has a mark near its beginning."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD: Final = 1 << 16
"""Bytes at the beginning of a file that hold its mark, if it has one."""

DATASET_BEGINS: Final = b"\x89HDF\r\n\x1a\n"
_ZIP: Final = b"PK\x03\x04"


class Kind(Enum):
    """A kind of file that this program writes."""

    DATASET = "dataset"
    FIGURE = "figure"
    TOML = "TOML file"
    PAGE = "report"
    MODEL = "model"
    CHECKPOINT = "checkpoint"
    HISTORY = "history"
    LIST = "list of files"
    TABLE = "table"
    """Has no mark, as a comment would disturb its readers: the list of a report's files knows its digest."""


_MARKS: Final = (
    (Kind.DATASET, DATASET_BEGINS, b"agesearch dataset"),
    (Kind.FIGURE, b"\x89PNG\r\n\x1a\n", b"tEXtSoftware\0agesearch"),
    (Kind.TOML, b"# Written by agesearch\n", b""),
    (Kind.PAGE, b"<!doctype html>", b'<meta name="generator" content="agesearch">'),
    (Kind.MODEL, _ZIP, b'"written_by": "agesearch"'),
    (Kind.CHECKPOINT, _ZIP, '"fingerprint": '.encode("utf-32-le")),
    (Kind.HISTORY, b"epoch,training_mae,validation_mae,seconds,best\n", b""),
    (Kind.LIST, b"# Files of a report written by agesearch\n", b""),
)
"""Each kind, how its files begin, and what stands in their first `HEAD` bytes."""

_any_file: ContextVar[bool] = ContextVar("any_file", default=False)


@contextmanager
def replacing_any_file(allowed: bool = True) -> Iterator[None]:
    """Let writers replace files that this program did not write, for the length of the block: what `--force` does."""
    before = _any_file.set(allowed)
    try:
        yield
    finally:
        _any_file.reset(before)


def kind_of(content: bytes) -> Kind | None:
    """Return which kind of file of this program `content` is, or begins; None where it is another's."""
    head = content[:HEAD]
    return next((kind for kind, begins, mark in _MARKS if head.startswith(begins) and mark in head), None)


def may_replace(path: Path, kind: Kind | None) -> bool:
    """Whether a new file of `kind` may take the place of the file at `path`: one of that kind, or an empty one.

    Any file may be replaced within `replacing_any_file`; a device or a pipe never. Raises OSError where it cannot be
    read.
    """
    if not path.exists():
        return True
    if not path.is_file():
        return False
    if _any_file.get() or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        return kind is not None and kind_of(file.read(HEAD)) is kind
