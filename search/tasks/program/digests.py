"""The files that decide a program's results, by their SHA-256, and what has changed among them."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from search.errors import SearchError, UnfitWorker
from search.tasks.program.placeholders import words_of
from search.tasks.program.program import Program


def digests(program: Program) -> dict[str, str]:
    """Return the SHA-256 of the program's file and of all that it watches, by names relative to its folder.

    Raises SearchError if there is no such file, or nothing of that name to watch.
    """
    found = {_name(program, path): path for path in _files(program)}
    return {name: _digest(found[name]) for name in sorted(found)}


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return in words each how the files differ."""
    said = {name: "is missing" if name not in now else "is new" for name in sorted(before.keys() ^ now.keys())}
    said |= {name: "has changed" for name in sorted(before.keys() & now.keys()) if before[name] != now[name]}
    return tuple(f"{name} {what}" for name, what in said.items())


def require_unchanged(program: Program, expected: Mapping[str, str]) -> None:
    """Raise UnfitWorker, which names the files, if they are no longer those of `expected`."""
    if changed := changes(expected, digests(program)):
        raise UnfitWorker(f"{', '.join(changed)} since the study was created; restore it, or start another study")


def _files(program: Program) -> Iterator[Path]:
    folder = program.folder.absolute()
    if program.path is not None:
        yield folder / program.path
    else:
        first, *words = words_of(str(program.command))
        # An interpreter is no file of the user's; a script next to the others is.
        named = [first, *words] if "/" in first and not Path(first).is_absolute() else words
        yield from (folder / word for word in named if (folder / word).is_file())
    for pattern in program.watch:
        yield from _watched(folder, pattern)


def _watched(folder: Path, pattern: str) -> Iterator[Path]:
    try:
        at = folder / pattern
        named = [at] if at.exists() else sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError) as error:  # an empty pattern, or an absolute one that matches nothing
        raise SearchError(f"watch names {pattern!r}: {error}; give a file, a folder, or a pattern as *.py") from error
    found = [file for path in named for file in ([path] if path.is_file() else _within(path))]
    if not found or not pattern:
        raise SearchError(f"watch names {pattern!r}, but {folder} has no file of that name")
    yield from found


def _within(folder: Path) -> Iterator[Path]:
    """Give the files of a folder, without what is hidden or what Python makes of them."""
    for path in sorted(folder.rglob("*")):
        hidden = (part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts)
        if path.is_file() and not any(hidden):
            yield path


def _name(program: Program, path: Path) -> str:
    folder = program.folder.absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _digest(path: Path) -> str:
    try:
        found = path.stat()
        return _digest_of(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    except OSError as error:
        raise SearchError(f"{path} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=10_000)
def _digest_of(path: Path, _identity: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
