"""Where images come from: a folder, a .zip, a .tar or a .tar.gz, all read the same way."""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from data.archives import GZIP_MAGIC, list_tar, list_zip, read_tar, read_zip
from data.errors import DatasetError, Rejected
from data.members import (
    Limits,
    Listed,
    Member,
    Quota,
    common_folder,
    is_litter,
    is_litter_folder,
    oddly_named,
    plain_path,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.errors import Rejected

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

    `rejected` are the files that will not be read, by reason of their names or because they are none; `prefix` is the
    folder, ending in `/`, that all files lie in, or nothing.
    """

    path: Path
    kind: Kind
    names: tuple[str, ...]
    limits: Limits
    rejected: tuple[Rejected, ...] = ()
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
        return read_folder(self.path, self.names, self.limits)


def open_source(path: Path, limits: Limits | None = None, *, follow_links: bool = False) -> Source:
    """List what a folder or an archive holds, whatever its name ends in.

    What file managers leave behind (`.DS_Store`, `__MACOSX`) is left out; links that lead out of a folder are rejected
    unless to `follow_links`. Raises DatasetError where `path` does not exist, is no folder or archive, is damaged,
    beyond the limits, or an archive with links or with names that lead out of it.
    """
    limits = limits or Limits()
    kind = _kind(path)
    if kind is Kind.ZIP:
        listed = list_zip(path, limits)
    elif kind is Kind.TAR:
        listed = list_tar(path, limits)
    else:
        listed = list_folder(path, limits, follow_links=follow_links)
    return Source(path, kind, listed.names, limits, listed.rejected)


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


if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.members import Limits

    Place = tuple[int, int]


def list_folder(root: Path, limits: Limits, *, follow_links: bool) -> Listed:
    """List a folder's files, sorted; what is none, or lies outside unless to `follow_links`, is rejected.

    Raises DatasetError where a folder cannot be read, or they hold more than the limits.
    """
    walk = _Walk(root, limits, follow_links=follow_links)
    walk.enter(root, ())
    return Listed(tuple(sorted(walk.names)), tuple(walk.rejected))


def read_folder(root: Path, names: tuple[str, ...], limits: Limits) -> Iterator[Member]:
    """Yield a folder's files, of one that is too large no more than tells so: it is no reason to refuse the others."""
    for name in names:
        try:
            with (root / name).open("rb") as file:
                content = file.read(limits.file_bytes + 1)
        except OSError as error:
            raise DatasetError(f"{root / name} cannot be read: {error.strerror}") from error
        yield Member(name, content)


class _Walk:
    """What has been found so far in a folder and those below it."""

    def __init__(self, root: Path, limits: Limits, *, follow_links: bool) -> None:
        self.names: list[str] = []
        self.rejected: list[Rejected] = []
        self._root = root
        self._inside = root.resolve()
        self._quota = Quota(str(root), limits)
        self._entries = 0
        self._follow_links = follow_links

    def enter(self, folder: Path, above: tuple[Place, ...]) -> None:
        """List a folder that lies in those `above`, and all that it holds."""
        try:
            at = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise DatasetError(f"{folder} cannot be read: {error.strerror}") from error
        # Links may lead by many ways to the same folders, so that these count as well.
        self._entries += len(entries)
        self._quota.check_entries(self._entries)
        for entry in entries:
            self._take(entry, (*above, (at.st_dev, at.st_ino)))

    def _take(self, entry: os.DirEntry[str], above: tuple[Place, ...]) -> None:
        path = Path(entry.path)
        if is_litter(entry.name) or is_litter_folder(entry.name):
            return
        try:
            found = entry.stat()
            reason = self._reason(entry, found, above)
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
        if reason:
            name = path.relative_to(self._root).as_posix()
            self.rejected.append(Rejected(plain_path(name) or shown(name), reason))
        elif stat.S_ISDIR(found.st_mode):
            self.enter(path, above)
        else:
            self._add(path.relative_to(self._root).as_posix())

    def _add(self, name: str) -> None:
        self._quota.count()
        if plain_path(name) == name:
            self.names.append(name)
        else:
            self.rejected.append(oddly_named(name))

    def _reason(self, entry: os.DirEntry[str], found: os.stat_result, above: tuple[Place, ...]) -> str:
        """Return why an entry is not read, as the rest of a sentence, or nothing."""
        folder = stat.S_ISDIR(found.st_mode)
        if not folder and not stat.S_ISREG(found.st_mode):
            return "it is not a plain file"
        if not entry.is_symlink():
            return ""
        if folder and (found.st_dev, found.st_ino) in above:
            return "it is a link to a folder that it lies in"
        if self._follow_links:
            return ""
        if folder:
            return "it is a link to another folder; pass --follow-links to read what links lead to"
        if not Path(entry.path).resolve().is_relative_to(self._inside):
            return f"it is a link that leads out of {self._root}; pass --follow-links to read what links lead to"
        return ""
