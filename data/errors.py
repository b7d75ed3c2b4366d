"""What can go wrong with data, as one exception class that a command can turn into one sentence."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LISTED = 20


class DatasetError(ValueError):
    """A file, folder, image or setting that cannot be used; its text is one plain sentence."""


class WriteFailure(DatasetError):  # noqa: N818  (what failed is the machine's, and no error of the caller)
    """A file could be written, but for a disk that is full or fails. Exit code 1."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that cannot become an image of the dataset, with the reason as the rest of a sentence."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


class RejectedFilesError(DatasetError):
    """Some files of a source cannot be used; `rejected` has all of them, the text the first twenty, `summary` none."""

    def __init__(self, source: str, rejected: Sequence[Rejected]) -> None:
        self.rejected = tuple(rejected)
        listed = "; ".join(str(one) for one in self.rejected[:LISTED])
        more = f"; and {len(self.rejected) - LISTED} more" if len(self.rejected) > LISTED else ""
        files, them = counted(len(self.rejected), "file"), "it" if len(self.rejected) == 1 else "them"
        self.summary = f"{files} of {source} cannot be used, repair {them} or pass --skip-bad"
        super().__init__(f"{self.summary}: {listed}{more}")


def system_reason(error: BaseException) -> str:
    """Return what the operating system says, or nothing where the error is no one of its, but of a file's content.

    A damaged file may send its reader to a place that cannot be, and that the system calls an invalid argument.
    """
    number = error.errno if isinstance(error, OSError) else None
    return "" if number in (None, 0, errno.EINVAL, errno.EOVERFLOW) else os.strerror(number)


def counted(count: int, noun: str) -> str:
    """Return how many there are, as in "1 image" and "2 images"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
