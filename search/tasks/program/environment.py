"""The environment of a user's program: that of its worker without our settings and passwords, and a few things more."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from search.settings.sources import PREFIX
from search.tasks.program.program import Program

PIPES: Final = f"{PREFIX}TRIAL_FDS"
"""The variable with the numbers of a kept program's pipes: the one to read from, and the one to write to."""

CLIENT: Final = Path(__file__).with_name("client")
"""A folder with agesearch.py alone: on a program's path it shadows nothing of the user's."""

NEVER: Final = frozenset({"PGPASSWORD", "PYTHONSAFEPATH"})
"""What a program does not get: a password of the storage's, and what would keep its own folder off its path."""

THREADS: Final = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
)  # fmt: skip
"""Where numerical libraries look for how many threads to use."""


def environment_of(program: Program, worker: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a program whose worker has those of `worker`."""
    kept = {name: value for name, value in worker.items() if not name.startswith(PREFIX) and name not in NEVER}
    # Text hashes alike in every process, so that the order of a set is part of no trial; and prints are not held back.
    defaults = {"PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    path = ":".join([str(CLIENT), *filter(None, [worker.get("PYTHONPATH")])])
    threads = {name: str(program.threads) for name in THREADS} if program.threads else {}
    return {**defaults, **kept, "PYTHONPATH": path, **threads}
