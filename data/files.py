"""Writing files whole: under a temporary name, synced, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from data.errors import DatasetError, WriteFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

DATASET: Final = b"\x89HDF\r\n\x1a\n"
"""How a dataset begins, as every HDF5 file."""

_SQLITE: Final = b"SQLite format 3\0"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_KINDS: Final = {DATASET: "a dataset", _PNG: "an image", b"\xff\xd8\xff": "an image"}
"""What a file that begins so is, which nobody means to replace by a file of another kind."""
_MOST_BYTES: Final = 200


@contextmanager
def whole_file(path: Path, flag: str = "--out") -> Iterator[Path]:
    """Give a temporary file beside `path` that takes its name when the block ends well.

    The file is synced before the rename and its folder after it, so `path` is the old file, the new one, or absent, at
    any moment. On any exception the temporary file and the folders made for it are removed. Raises DatasetError where
    the file cannot be written, before the block runs where possible; an OSError of the block counts as such. `flag` is
    what says where to write.
    """
    check_writable(path, flag)
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

    Nor does it replace a dataset or an image by a file of another kind, or anything but a PNG by a PNG.
    """
    for begins, kind in _KINDS.items():
        if _begins(path, begins) and not content.startswith(begins):
            raise DatasetError(f"cannot write {path}: it is {kind}; choose another {flag}")
    if content.startswith(_PNG):
        check_no_other(path, _PNG, "PNG image", flag)
    with whole_file(path, flag) as temporary:
        temporary.write_bytes(content)


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


def check_no_other(path: Path, begins: bytes, kind: str, flag: str = "--out") -> None:
    """Raise DatasetError where a file is there that does not begin so, and is thus no `kind`.

    An empty one is nobody's loss. `flag` is as in `whole_file`.
    """
    if _begins(path, b"") and path.stat().st_size and not _begins(path, begins):
        raise DatasetError(f"cannot write {path}: a file is there that is no {kind}; choose another {flag}")


def file_name(text: str) -> str:
    """Return what a file or folder is called after `text`: one name, its own, that leads nowhere else.

    It is the text where that will do, else what will do of it with a digest, so that no two texts share a name.
    """
    name = text.replace("/", "_").encode()[:_MOST_BYTES].decode(errors="ignore")
    if name == text and name.strip("."):
        return name
    return f"{name}-{sha256(text.encode()).hexdigest()[:8]}"


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
