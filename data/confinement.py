"""What a process gives up before it reads a stranger's file, so that no file can take the whole machine's memory."""

from __future__ import annotations

import resource
from typing import Final

MEMORY: Final = 4 * 2**30
"""The most bytes of address space that such a process may take."""


def confine() -> None:
    """Limit this process to `MEMORY` bytes of address space, or to fewer where it already is, and to no core dump.

    Nobody may raise a hard limit, such as that of `ulimit -v`, so a lower one stays.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
