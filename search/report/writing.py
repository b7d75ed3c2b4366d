"""The files of a report in a folder: each written whole, and those of an earlier report that it has not got removed.

What was written is listed in `files.sha256`, as `sha256sum -c` reads it. Nothing is removed that is not listed there,
or that is no longer as it was written; no table is replaced that is not, as tables have no mark of their own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from data.files import Kind, check_replaceable, kind_of, replacing_any_file, write_bytes

LIST: Final = "files.sha256"
_WRITTEN: Final = "# Files of a report written by agesearch\n"
_LINE: Final = re.compile(r"([0-9a-f]{64})  ((?:figures|tables)/[\w.-]+|[\w-]+\.html)")


def write_files(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write `files`, by their names within `folder` and in that order, and return their paths.

    Ended at any moment, the next report knows what this one and the one before have written. Raises DatasetError before
    anything is written where a file is there that no report wrote.
    """
    before = _listed(folder)
    for name, content in files.items():
        with _replacing(folder, name, before):
            check_replaceable(folder / name, kind_of(content) or Kind.TABLE)
    ours = {(_digest(content), name) for name, content in files.items()}
    _list(folder, before | ours)
    for name, content in files.items():
        with _replacing(folder, name, before):
            write_bytes(folder / name, content)
    for digest, name in before:
        path = folder / name
        if name not in files and path.is_file() and _digest(path.read_bytes()) == digest:
            path.unlink()
    _list(folder, ours)
    return tuple(folder / name for name in files)


@contextmanager
def _replacing(folder: Path, name: str, listed: set[tuple[str, str]]) -> Iterator[None]:
    """Let the file called `name` be replaced for the length of the block if it is as `listed`."""
    path = folder / name
    with ExitStack() as allowed:
        if path.is_file() and (_digest(path.read_bytes()), name) in listed:
            allowed.enter_context(replacing_any_file())
        yield


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _listed(folder: Path) -> set[tuple[str, str]]:
    path = folder / LIST
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return {(match[1], match[2]) for match in map(_LINE.fullmatch, lines) if match}


def _list(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    lines = [f"{digest}  {name}\n" for digest, name in sorted(files, key=lambda each: each[::-1])]
    write_bytes(folder / LIST, "".join([_WRITTEN, *lines]).encode())
