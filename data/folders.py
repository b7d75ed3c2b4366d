"""Reading the files inside a folder, with or without those that its links lead to."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import DatasetError, Rejected
from data.members import Listed, Member, Quota, is_litter, is_litter_folder, oddly_named, plain_path, shown

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
