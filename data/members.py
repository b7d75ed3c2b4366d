"""The files inside a source: what they may be called, how many and how large they may be, and their digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LITTER_FOLDERS: Final = frozenset({"__MACOSX", ".Trashes", ".Spotlight-V100"})
_LITTER_FILES: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
LONGEST_NAME: Final = 1000
# Spaces of any width and joiners of letters are in the names that people and their phones give.
_MISLEADING: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, ends of lines and paragraphs, what turns the direction of text, and halves of characters."""
_NO_TEXT: Final = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a source may hold: files, bytes of one file and, of an archive, bytes of all files, uncompressed.

    What a folder holds is on the disk already, but a small archive may unpack to any number of bytes.
    """

    members: int = 200_000
    file_bytes: int = 20_000_000
    total_bytes: int = 4_000_000_000

    def check_file(self, content: bytes) -> None:
        """Raise DatasetError for the content of a file that is too large, or for its first `file_bytes` + 1 bytes."""
        if len(content) > self.file_bytes:
            raise DatasetError(f"it is larger than {self.file_bytes} bytes, the limit for one file")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a source: its path inside it (with `/`), and its bytes."""

    name: str
    content: bytes


class Quota:
    """What is left of the limits while a source is listed or read."""

    def __init__(self, source: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._members = 0
        self._bytes = 0

    @property
    def file_bytes(self) -> int:
        """The most bytes that one file may have."""
        return self._limits.file_bytes

    def count(self) -> None:
        """Count one file, whatever its size; raises DatasetError, naming the limit, where that is one too many."""
        self._members += 1
        if self._members > self._limits.members:
            raise DatasetError(
                f"{self._source} holds more than {self._limits.members} files, the limit on their number"
            )

    def check_entries(self, count: int) -> None:
        """Raise DatasetError where an archive has that many entries: files, folders, and what is left out of it."""
        most = 2 * self._limits.members  # for each file, room for the litter that macOS puts beside it
        if count > most:
            raise DatasetError(f"{self._source} holds more than {most} files and folders, the limit on their number")

    def take(self, name: str, size: int) -> None:
        """Count one file of an archive, of `size` bytes; raises DatasetError, naming the limit, as `count` does."""
        self.count()
        self._bytes += size
        if size > self._limits.file_bytes:
            raise DatasetError(
                f"{self._source}: {name} is larger than {self._limits.file_bytes} bytes, the limit for one file"
            )
        if self._bytes > self._limits.total_bytes:
            raise DatasetError(
                f"{self._source} unpacks to more than {self._limits.total_bytes} bytes, the limit for all its files"
            )


def safe_name(source: str, name: str) -> str:
    """Return a member's path as `plain_path` does; raises DatasetError where it is none.

    Nothing is ever written under these names, but an archive that has such a one is not a set of images.
    """
    plain = plain_path(name)
    if not plain:
        why = " (its name is not UTF-8; rename it)" if _NO_TEXT.search(name) else ""
        raise DatasetError(
            f"{source} holds {shown(name)}, which is not a plain path inside it{why}, so nothing of it is read"
        )
    return plain


def plain_path(name: str) -> str:
    """Return a path as a relative one that leads nowhere else, with `/` between its parts and no `.` among them.

    Returns nothing for absolute paths, `..`, drive letters, backslashes, what misleads whoever reads it, text that is
    not Unicode, and over-long names.
    """
    # Text operations, since paths are slow to make and a source has many.
    parts = [part for part in name.split("/") if part not in ("", ".")]
    drive = "".join(parts[:1])[1:2] == ":"
    bad = name.startswith("/") or ".." in parts or "\\" in name or drive
    if bad or _MISLEADING.search(name) or len(name.encode(errors="replace")) > LONGEST_NAME:
        return ""
    return "/".join(parts)


def shown(name: str) -> str:
    """Return any name as it can be shown: quoted, with what cannot be printed escaped, and not too long."""
    return repr(name if len(name) <= 80 else name[:80] + "...")


def is_litter(name: str) -> bool:
    """Whether a member is one that operating systems leave behind, such as `.DS_Store` or anything in `__MACOSX`."""
    parts = name.split("/")
    return parts[-1] in _LITTER_FILES or parts[-1].startswith("._") or not _LITTER_FOLDERS.isdisjoint(parts)


def common_folder(names: Sequence[str]) -> str:
    """Return the folder, ending in `/`, that all the names share, or nothing."""
    if not names:
        return ""
    # The smallest and the largest name share what all of them share.
    first, last = min(names).split("/")[:-1], max(names).split("/")[:-1]
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return "".join(f"{part}/" for part in first[:shared])


def content_digest(digests: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256, in hex, of sorted (name, hex SHA-256 of the bytes) pairs.

    Each pair enters as `<sha256>  <name>` and a line feed, as `sha256sum` prints it. Names count without the folder
    that all of them share, so the same files give the same digest from a folder, a .zip or a .tar.gz.
    """
    pairs = sorted(digests)
    prefix = len(common_folder([name for name, _ in pairs]))
    total = hashlib.sha256()
    for name, digest in pairs:
        # The name of a table, which nobody else reads, may be any bytes.
        total.update(f"{digest}  {name[prefix:]}\n".encode(errors="surrogateescape"))
    return total.hexdigest()
