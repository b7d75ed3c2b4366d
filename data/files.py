"""Writing files whole, and over nothing that is not this program's own: a mark in each format shows what is.

A file is written under a temporary name, synced, then renamed.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from data.errors import DatasetError, WriteFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

_SQLITE: Final = b"SQLite format 3\0"


@contextmanager
def whole_file(path: Path, kind: Kind | None, flag: str = "--out") -> Iterator[Path]:
    """Give a temporary file next to `path` that takes its name when the block ends well; it will be of `kind`.

    The file is synced before the rename and its folder after it, so `path` is the old file, the new one, or absent, at
    any moment. On any exception the temporary file and the folders made for it are removed. Raises DatasetError where
    the file cannot be written or may not be replaced (`check_replaceable`), before the block runs where possible; an
    OSError of the block counts as such. `flag` is what says where to write.
    """
    check_replaceable(path, kind, flag)
    made: list[Path] = []
    temporary = path.parent / f".{secrets.token_hex(6)}.tmp"
    try:
        _make_folders(path.parent, made)
        temporary.touch(exist_ok=False)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except BaseException as error:
        _remove(temporary, made)
        if isinstance(error, OSError):
            raise cannot_write(path, error, flag) from error
        raise


def write_bytes(path: Path, content: bytes, flag: str = "--out") -> None:
    """Write `content` to `path`, whole or not at all; raises DatasetError as `whole_file` does.

    The file is of the kind that its own mark says; without a mark it replaces none.
    """
    with whole_file(path, kind_of(content), flag) as temporary:
        temporary.write_bytes(content)


def check_replaceable(path: Path, kind: Kind | None, flag: str = "--out") -> None:
    """Raise DatasetError where `path` cannot be written, or has a file that a new one of `kind` may not replace.

    Only what this program wrote, and can tell so from the file itself, is replaced, by a file of the same kind; with
    `replacing_any_file` any file is. For finding out before minutes of work, as `check_writable`.
    """
    check_writable(path, flag)
    try:
        allowed = may_replace(path, kind)
    except OSError as error:
        raise cannot_write(path, error, flag) from error
    if not allowed:
        what = f"{kind.value if kind else 'file'} that agesearch wrote"
        raise DatasetError(
            f"cannot write {path}: a file is there that is no {what}; choose another {flag}, or give --force to "
            "replace it"
        )


def check_writable(path: Path, flag: str = "--out") -> None:
    """Raise DatasetError where `path` can certainly not be written, changing nothing on disk.

    For finding out before minutes of work; `whole_file` still has the last word. `flag` is as in `whole_file`.
    """
    if "\0" in str(path):
        raise DatasetError(f"cannot write {str(path)!r}: its name has a null character; choose another {flag}")
    try:
        taken = path.is_dir()
        folder = next(parent for parent in path.absolute().parents if parent.exists())
    except OSError as error:
        raise cannot_write(path, error, flag) from error
    if taken:
        raise DatasetError(f"cannot write {path}: it is a folder; choose another {flag}")
    if not folder.is_dir():
        raise DatasetError(f"cannot write {path}: {folder} is not a folder; choose another {flag}")
    if _begins(path, _SQLITE):
        raise DatasetError(f"cannot write {path}: it is a database; choose another {flag}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DatasetError(f"cannot write {path}: {folder} is not writable; choose another {flag}")


def cannot_write(path: Path, error: OSError, flag: str = "--out") -> DatasetError:
    """Say in one sentence why `path` could not be written."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return WriteFailure(f"cannot write {path}: {reason}; see to the disk, and run the same command again")
    return DatasetError(f"cannot write {path}: {reason}; choose another {flag}")


def _begins(path: Path, how: bytes) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(how)) == how
    except (OSError, ValueError):
        return False  # which is for others to say


def _make_folders(folder: Path, made: list[Path]) -> None:
    """Create `folder` and its missing parents, adding each one created to `made`."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        made.append(one)


def _remove(temporary: Path, made: list[Path]) -> None:
    """Remove the temporary file and the folders made for it, as far as that is possible."""
    try:
        temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            folder.rmdir()
    except OSError:
        # The failure that led here is the one to report; a folder may hold another's file by now.
        return


def _sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
