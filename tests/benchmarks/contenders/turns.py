"""What every contender does alike: it warms up, then runs one trial whenever it is told to, and says how long it took.

A contender is a process of its own. It prints {"ready": ..., "start": seconds} once it is warm, and after each line on
stdin one line of JSON with the seconds of the trial and of its parts.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

STARTED = time.perf_counter()


class Parts:
    """Seconds by name: build, train, validate, storage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], object]) -> object:
        """Run `work` and add its seconds to the part `name`."""
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def load(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read the training and validation split."""
    with h5py.File(path) as file:
        return {name: (file[name]["images"][:], file[name]["labels"][:]) for name in ("training", "validation")}


def ready() -> None:
    """Say that the warm-up is over."""
    say({"ready": True, "start": time.perf_counter() - STARTED})


def say(message: dict[str, object]) -> None:
    """Print one line of JSON, whatever a library may have done with stdout."""
    print(json.dumps(message), file=sys.__stdout__, flush=True)


def told_to_go() -> bool:
    """Wait for a line; False once there are no more."""
    return bool(sys.stdin.readline())


def peak_memory() -> float:
    """Return this process's peak resident memory in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
