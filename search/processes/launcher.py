"""The launcher: starts worker processes, one a GPU or core, starts dead ones again, and stops them all together."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO

from search.errors import SearchError
from search.slots.mending import MAX_LOSSES
from search.study.study import Study

STOP_SECONDS = 60.0
"""How long a worker has to give its trial back: an epoch at the most, which is a few seconds."""

FRUITLESS_DEATHS = 3
"""Deaths a worker in a row, without a slot closed in between, after which starting again is no use.

Where workers die within trials as many more are borne as it takes to close a slot that kills whoever runs it.
"""

BAD_INPUT = 2
"""The exit code of a worker that was given something it will never be able to use."""


WORKER = (sys.executable, "-P", "-m", "search", "worker", "--tethered")
"""The program of a worker; without -P, Python would take a folder data/ or a file search.py of the user's for ours."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one worker computes on: a GPU by its index, and the share of its memory that it may take; or the CPU."""

    gpu: int | None = None
    share: float = 1.0

    def environment(self) -> dict[str, str]:
        """Return what TensorFlow must find in the environment before it is imported.

        Where the launcher itself may use some of the machine's GPUs alone, the index is one among those.
        """
        if self.gpu is None:
            return {}
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return {"CUDA_VISIBLE_DEVICES": visible.split(",")[self.gpu].strip() if visible else str(self.gpu)}

    def flags(self) -> list[str]:
        """Return what the worker is told on its command line."""
        return [] if self.share == 1 else ["--gpu-share", f"{self.share:.3f}"]


def places(workers: int | None, gpus: Sequence[int], cores: int, per_gpu: int = 1) -> tuple[Place, ...]:
    """Spread `workers` over the GPUs, in turn, or put them on the CPU where there is none.

    None means `per_gpu` a GPU, else one a core. Those on one GPU share its memory equally.
    """
    if not gpus:
        return tuple(Place() for _ in range(workers or cores))
    chosen = [gpus[index % len(gpus)] for index in range(workers or per_gpu * len(gpus))]
    return tuple(Place(gpu, 1 / chosen.count(gpu)) for gpu in chosen)


@dataclass(slots=True)
class _Process:
    place: Place
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)


class Launcher:
    """The worker processes of one study on this machine.

    A worker is tethered: it holds the reading end of a pipe whose writing end is the launcher's, and stops when that
    closes, so that no worker outlives a launcher that was killed.
    """

    def __init__(
        self, study: Study, data: Path, logs: Path, program: Sequence[str] = WORKER, artifacts: Path | None = None
    ) -> None:
        self._study, self._data, self._logs, self._program = study, data, logs, program
        self._artifacts = artifacts
        self._workers: list[_Process] = []
        self._fruitless = 0
        self._closed: int | None = None
        self._lost, self._new_losses = 0, False
        self._fruitful = False

    def start(self, where: Sequence[Place]) -> None:
        """Start one worker for each place."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for number, place in enumerate(where, start=1):
            worker = _Process(place, self._logs / f"worker-{number}.log")
            worker.process = self._spawn(worker)
            self._workers.append(worker)

    def tend(self, closed: int, lost: int = 0) -> bool:
        """Start dead workers again and return whether any is still at work.

        `closed` is how many slots are closed, `lost` how many attempts were lost with their workers. Raises SearchError
        where workers keep dying without closing a slot.
        """
        if self._closed is None or closed > self._closed:
            self._fruitless, self._fruitful = 0, self._closed is not None
            self._lost = lost
        self._closed, self._new_losses = closed, lost > self._lost
        for worker in self._workers:
            code = worker.process.poll()
            if code is not None and code != 0:
                self._start_again(worker, code)
        return any(worker.process.poll() is None for worker in self._workers)

    def _start_again(self, worker: _Process, code: int) -> None:
        self._fruitless += 1
        # Once a trial has finished, what was given is good, and it is the storage that has failed for a moment.
        hopeless = code == BAD_INPUT and not self._fruitful
        borne = MAX_LOSSES if self._new_losses else FRUITLESS_DEATHS
        if hopeless or self._fruitless > borne * len(self._workers):
            raise SearchError(f"the workers cannot work ({_cause(code)}); see {worker.log}: {_last_line(worker.log)}")
        _close(worker.process.stdin)
        worker.process = self._spawn(worker)

    def stop(self) -> None:
        """Ask all workers to give their trials back and end; kill those that do not within a minute."""
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        for worker in self._workers:
            try:
                worker.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            _close(worker.process.stdin)

    def _spawn(self, worker: _Process) -> "subprocess.Popen[bytes]":
        # The storage goes through the environment: a command line can be read by every user of the machine.
        environment = {**os.environ, **worker.place.environment(), "AGESEARCH_STORAGE": self._study.storage.url}
        environment["AGESEARCH_CONFIG"] = os.devnull  # what a worker needs is in the study, and no file may object
        if self._artifacts is not None:
            environment["AGESEARCH_ARTIFACTS"] = str(self._artifacts.absolute())
        command = [*self._program, *worker.place.flags()]
        command += ["--study", self._study.name, "--data", str(self._data.absolute())]
        with worker.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program, with arguments that no shell sees
                command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )


def stop_when_untethered(stop: Event) -> None:
    """Set `stop` once the launcher, which holds the other end of stdin, has ended; meant for a thread of its own."""
    while os.read(0, 4096):
        pass
    stop.set()


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it is empty"
