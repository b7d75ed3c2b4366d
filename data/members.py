"""The files inside a source: what they may be called, how many and how large they may be, and their digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.errors import DatasetError, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LITTER_FOLDERS: Final = re.compile(
    r"__macosx|\.trashes|\.trash-[0-9]+|\.spotlight-v100|\.fseventsd|\.temporaryitems|\.documentrevisions-v100|@eadir"
    r"|#recycle|\$recycle\.bin|system volume information|lost\+found|\.ipynb_checkpoints|\.thumbnails|\.git|\.svn|\.dvc"
)
_LITTER_FILES: Final = re.compile(
    r"\._.*|\.ds_store|\.localized|icon\r|\.apdisk|(?:ehthumbs|thumbs)\.db|desktop\.ini|\.directory|\.nomedia"
    r"|\.picasa\.ini|\.(?:git)?keep|\.git(?:ignore|attributes)|\.nfs[0-9a-f]+|\.~lock\..*#|.*[:\uf03a]zone\.identifier"
    r"|readme(?:\.(?:md|txt|rst|html))?",
    re.DOTALL,
)
"""What is passed over, in lower case: of macOS, Windows, Linux desktops, network disks, Jupyter and version control."""
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
        most = 2 * self._limits.members  # for each file, room for the litter that macOS puts next to it
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


@dataclass(frozen=True, slots=True)
class Listed:
    """The files that a source holds: the names of those that can be read, and the others with their reasons."""

    names: tuple[str, ...]
    rejected: tuple[Rejected, ...] = ()


def archived_name(source: str, name: str) -> str:
    r"""Return a path in an archive as `plain_path` does, its folders divided by `/` where Windows wrote `\`.

    Raises DatasetError where it leads out: nothing is ever written under these names, but an archive that has such a
    one is not a set of images.
    """
    slashed = name.replace("\\", "/")
    if _leads_out(slashed):
        raise DatasetError(f"{source} holds {shown(name)}, which leads out of it, so nothing of it is read")
    return plain_path(slashed)


def plain_path(name: str) -> str:
    """Return a path as a relative one that leads nowhere else, with `/` between its parts and no `.` among them.

    Returns nothing for absolute paths, `..`, drive letters, backslashes, what misleads whoever reads it, text that is
    not Unicode, and over-long names.
    """
    # Text operations, since paths are slow to make and a source has many.
    bad = _leads_out(name) or "\\" in name or _MISLEADING.search(name)
    return "" if bad or len(name.encode(errors="replace")) > LONGEST_NAME else "/".join(_parts(name))


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def _leads_out(name: str) -> bool:
    parts = _parts(name)
    return name.startswith("/") or ".." in parts or "".join(parts[:1])[1:2] == ":"


def oddly_named(name: str) -> Rejected:
    """Return why a file whose name is no plain path, though it lies in its source, cannot be used."""
    if _NO_TEXT.search(name):
        why = "is not UTF-8"
    elif len(name.encode(errors="replace")) > LONGEST_NAME:
        why = f"is longer than {LONGEST_NAME} bytes"
    elif "\\" in name:
        why = "has a backslash"
    elif _MISLEADING.search(name):
        why = "has a character that cannot be shown"
    else:
        why = "is not a plain path"
    return Rejected(shown(name), f"its name {why}; rename it")


def shown(name: str) -> str:
    """Return any name as it can be shown: quoted, with what cannot be printed escaped, and not too long."""
    return repr(name if len(name) <= 80 else name[:80] + "...")


def is_litter(name: str) -> bool:
    r"""Whether a member is one that file managers and the like leave behind, such as `.DS_Store`, in whatever case.

    So is a README, and whatever lies in a folder such as `__MACOSX`; folders are divided by `/` or `\`.
    """
    *folders, file = name.lower().replace("\\", "/").split("/")
    return bool(_LITTER_FILES.fullmatch(file)) or any(map(is_litter_folder, folders))


def is_litter_folder(name: str) -> bool:
    """Whether a folder of that name, without its parents, holds nothing but litter."""
    return bool(_LITTER_FOLDERS.fullmatch(name.lower()))


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
