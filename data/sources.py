"""Where images come from: a folder, a .zip, a .tar or a .tar.gz, all read the same way."""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from data.archives import GZIP_MAGIC, read_tar, read_zip, tar_names, zip_names
from data.errors import DatasetError
from data.members import Limits, Member, Quota, common_folder, is_litter, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN: Final = "a folder, a .zip, a .tar, a .tar.gz, a .csv, or synthetic"
"""What images can be taken from; tables and drawings are for others to read."""

_ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_USTAR: Final = slice(257, 262)


class Kind(Enum):
    """The forms a source may have."""

    FOLDER = "folder"
    ZIP = "zip"
    TAR = "tar"


@dataclass(frozen=True, slots=True)
class Source:
    """A listed source: its names (sorted, with `/`) are known to be safe; no file of it has been read yet.

    `prefix` is the folder, ending in `/`, that all files lie in, or nothing.
    """

    path: Path
    kind: Kind
    names: tuple[str, ...]
    limits: Limits
    prefix: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefix", common_folder(self.names))

    def read(self) -> Iterator[Member]:
        """Yield every file, one at a time: by name from a folder and a .zip, in its own order from a .tar.

        Raises DatasetError where a file is damaged or unreadable, or where an archive is beyond the limits. A folder's
        file that is larger than one may be is cut off behind the limit, for `Limits.check_file` to tell.
        """
        if self.kind is Kind.ZIP:
            return read_zip(self.path, self.limits)
        if self.kind is Kind.TAR:
            return read_tar(self.path, self.limits)
        return _read_folder(self)


def open_source(path: Path, limits: Limits | None = None) -> Source:
    """List what a folder or an archive holds, whatever its name ends in.

    What operating systems leave behind (`.DS_Store`, `__MACOSX`) is left out. Raises DatasetError where `path` does not
    exist, is no folder or archive, is damaged, beyond the limits, or holds links or names that lead out of it.
    """
    limits = limits or Limits()
    kind = _kind(path)
    if kind is Kind.ZIP:
        names = zip_names(path, limits)
    elif kind is Kind.TAR:
        names = tar_names(path, limits)
    else:
        names = _folder_names(path, limits)
    return Source(path, kind, tuple(names), limits)


def _kind(path: Path) -> Kind:
    """Tell a source's form from what it is and how it begins."""
    try:
        mode = path.stat().st_mode
        start = _start(path) if stat.S_ISREG(mode) else b""
    except FileNotFoundError as error:
        raise DatasetError(f"{path} does not exist; give {KNOWN}") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    if not stat.S_ISREG(mode):
        raise DatasetError(f"{path} is neither a folder nor a file; give {KNOWN}")
    if start.startswith(_ZIP_MAGIC):
        if not zipfile.is_zipfile(path):
            raise DatasetError(f"{path} is damaged or cut short: the .zip lacks its list of contents")
        return Kind.ZIP
    if start.startswith(GZIP_MAGIC) or start[_USTAR] == b"ustar":
        return Kind.TAR
    raise DatasetError(
        f"{path} is neither a folder nor a .zip, .tar or .tar.gz archive, nor a table, whose name must end in .csv"
    )


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def _folder_names(root: Path, limits: Limits) -> list[str]:
    quota = Quota(str(root), limits)
    names = []

    def stop(error: OSError) -> None:
        raise DatasetError(f"{error.filename} cannot be read: {error.strerror}") from error

    for folder, subfolders, files in os.walk(root, onerror=stop):
        for one in subfolders:
            if (Path(folder) / one).is_symlink():
                raise DatasetError(f"{Path(folder) / one} is a link to another folder; pass that folder itself")
        for file in files:
            path = Path(folder) / file
            name = safe_name(str(root), path.relative_to(root).as_posix())
            if not is_litter(name):
                _check_plain(root, path)
                quota.count()
                names.append(name)
    return sorted(names)


def _check_plain(root: Path, path: Path) -> None:
    """Raise DatasetError for what is no plain file, and for links that lead out of `root`."""
    try:
        found = path.stat()
        outside = path.is_symlink() and not path.resolve().is_relative_to(root.resolve())
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    if outside:
        raise DatasetError(f"{path} is a link that leads out of {root}, so nothing of the folder is read")
    if not stat.S_ISREG(found.st_mode):
        raise DatasetError(f"{path} is not a plain file, so nothing of the folder is read")


def _read_folder(source: Source) -> Iterator[Member]:
    """Yield a folder's files, of one that is too large no more than tells so: it is no reason to refuse the others."""
    for name in source.names:
        try:
            with (source.path / name).open("rb") as file:
                content = file.read(source.limits.file_bytes + 1)
        except OSError as error:
            raise DatasetError(f"{source.path / name} cannot be read: {error.strerror}") from error
        yield Member(name, content)
