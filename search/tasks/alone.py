"""One process at a time in a folder, such as that of a final fit."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.files import cannot_write, check_writable
from search.errors import SearchError

LOCK = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let one process at a time fit in a folder, which is created if missing; a killed process leaves no lock behind.

    Raises SearchError where another is at it, whose files would mix with ours, and DatasetError where the folder cannot
    be written.
    """
    path = folder / LOCK
    check_writable(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as error:
        raise cannot_write(path, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SearchError(
                f"another fit is running in {folder}; wait until it ends, or choose another --out"
            ) from error
        except OSError as error:
            raise cannot_write(path, error) from error
        yield
