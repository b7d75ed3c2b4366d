"""Whether the images of a build fit into memory, asked before the first of them is read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from data.errors import DatasetError

if TYPE_CHECKING:
    from data.options import BuildOptions

CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")

_COPIES: Final = 2
"""Each image as it was decoded and in its split, and later in its split and in the bytes of the file."""


def check_memory(images: int, options: BuildOptions) -> None:
    """Raise DatasetError where so many images of the options' size are more than all memory can hold.

    Linux grants memory that is not there and then kills whoever uses it, so nothing would say so later.
    """
    shape = (*options.image_size, options.channels)
    needed, there = _COPIES * images * math.prod(shape), _memory()
    if needed > there:
        raise DatasetError(
            f"{images:,} images of {'×'.join(map(str, shape))} take {needed / 2**30:.1f} GiB of memory to build, and "
            f"there are {there / 2**30:.1f}; choose a smaller --size, or fewer images"
        )


def _memory() -> int:
    """Return the bytes of memory of this machine, or of the container if that has fewer."""
    machine: int = psutil.virtual_memory().total
    try:
        return min(machine, int(CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # there is no container, or it says "max"
        return machine
