"""Looking into a dataset file from a process of its own, because a hostile file can crash or hang the HDF5 library.

That process is `python -m data.inspection FILE`; it prints what the file holds, or what is wrong with it, as JSON. What
reads the arrays afterwards needs their extents alone, and no library. The process costs a command a third of a second.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data.arrays import StoredArray
from data.confinement import confine
from data.errors import DatasetError
from data.info import DatasetInfo, Extent

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS: Final = 120.0
"""How long the library may take, which needs some milliseconds, on a machine that does other things as well."""

_PROGRAM: Final = (sys.executable, "-P", "-m", "data.inspection")


def inspect_dataset(path: Path, program: Sequence[str] = _PROGRAM, seconds: float = SECONDS) -> DatasetInfo:
    """Check a dataset file's whole structure in another process, and say what it holds, reading no pixel.

    Asked again about the same file, it remembers. Raises DatasetError for anything but a whole dataset of this schema
    version.
    """
    try:
        found = path.stat() if path.is_file() else None
        trouble = "is not a file" if path.exists() else "does not exist"
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if found is None:
        raise DatasetError(f"{path} {trouble}; give an .h5 dataset")
    identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return _inspected(path, identity, tuple(program), seconds)


@lru_cache(maxsize=8)
def _inspected(path: Path, _identity: tuple[int, ...], program: tuple[str, ...], seconds: float) -> DatasetInfo:
    # OpenBLAS's threads would take time and address space; and what a writer or a file system without locks says to
    # locking, which this variable decides before any argument does, is no reason not to read.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "HDF5_USE_FILE_LOCKING": "FALSE"}
    try:
        ended = subprocess.run(  # noqa: S603 - our own program, with a path that no shell sees
            [*program, str(path)],
            env=environment,
            capture_output=True,
            timeout=seconds,
            check=False,
            start_new_session=True,  # Ctrl-C is for us, who end it
        )
    except subprocess.TimeoutExpired:
        raise DatasetError(f"{path} is a damaged dataset: reading it takes more than {seconds:g} seconds") from None
    if ended.returncode in (-signal.SIGKILL, -signal.SIGTERM):
        raise RuntimeError(f"the process that looks into {path} was ended from outside (signal {-ended.returncode})")
    if ended.returncode < 0:
        raise DatasetError(f"{path} is a damaged dataset: it crashes the HDF5 library (signal {-ended.returncode})")
    if ended.returncode > 0:
        reason = (ended.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise RuntimeError(f"the process that looks into {path} failed: {reason}")
    answer = json.loads(ended.stdout)
    if "error" in answer:
        raise DatasetError(answer["error"])
    return _from_plain(path, answer)


def _from_plain(path: Path, plain: dict[str, Any]) -> DatasetInfo:
    arrays = {
        split: {name: StoredArray(tuple(array["shape"]), array["sha256"]) for name, array in stored.items()}
        for split, stored in plain["arrays"].items()
    }
    extents = {
        split: {name: Extent(**extent) for name, extent in stored.items()} for split, stored in plain["extents"].items()
    }
    height, width, channels = plain["image_shape"]
    changed = {"path": path, "image_shape": (height, width, channels), "arrays": arrays, "extents": extents}
    return DatasetInfo(**(plain | changed))


def _main(path: Path) -> None:
    confine()
    from data.structure import inspect_file

    try:
        answer = asdict(inspect_file(path)) | {"path": str(path)}
    except DatasetError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))  # noqa: T201 - to the process that asked


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
