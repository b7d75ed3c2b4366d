"""The launcher: starts worker processes, one a GPU or core, starts dead ones again, and stops them all together."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from search.errors import SearchError, SearchFailure
from search.run.deaths import Deaths, cause_of, kills_for_memory
from search.settings.sources import PREFIX
from search.study.claiming import MAX_LOSSES
from search.study.owner import process_of
from search.study.study import Study
from search.study.workers import finished_by

STOP_SECONDS = 60.0
"""How long workers have to give their trials back, which they do after the step that they are in.

That takes seconds or minutes: what is killed then is taken over later.
"""

FRUITLESS_DEATHS = 3
"""How many workers of one place may die in a row before they claim a slot; after that the place is given up.

Where they die with a slot, as many are borne as it takes to close one that kills whoever runs it.
"""

BAD_INPUT = 2
"""The exit code of a worker that was given something it will never be able to use."""


WORKER = (sys.executable, "-P", "-m", "search", "worker", "--tethered")
"""The program of a worker; without -P, Python would take a folder data/ or a file search.py of the user's for ours."""

_log = logging.getLogger(__name__)


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
        """Return what the worker gets on its command line."""
        return [] if self.share == 1 else ["--gpu-share", f"{self.share:.3f}"]


def places(workers: int | None, gpus: Sequence[int], on_cpu: int, per_gpu: int = 1) -> tuple[Place, ...]:
    """Spread `workers` over the GPUs, in turn, or put them on the CPU where there is none.

    None means `per_gpu` a GPU, else `on_cpu`, which its cores have room for. Those on one GPU share its memory equally.
    """
    if not gpus:
        return tuple(Place() for _ in range(workers or on_cpu))
    chosen = [gpus[index % len(gpus)] for index in range(workers or per_gpu * len(gpus))]
    return tuple(Place(gpu, 1 / chosen.count(gpu)) for gpu in chosen)


@dataclass(slots=True, eq=False)
class _Worker:
    """A place and the process that works there; `deaths` of its processes in a row had finished no trial.

    Its log had `logged` bytes when the process was started, and the system had made `kills` for lack of memory.
    """

    place: Place
    log: Path
    deaths: int = 0
    logged: int = 0
    kills: int = 0
    process: subprocess.Popen[bytes] = field(init=False)
    name: str = field(init=False)


class Launcher:
    """The worker processes of one study on this machine, each at its place and with those settings.

    A worker is tethered: it holds the reading end of a pipe whose writing end is the launcher's, and stops when that
    closes, so that no worker outlives a launcher that was killed.
    """

    def __init__(
        self,
        study: Study,
        settings: Mapping[str, str],
        logs: Path,
        places: Sequence[Place],
        program: Sequence[str] = WORKER,
    ) -> None:
        self._study, self._settings, self._logs, self._program = study, settings, logs, program
        self._places = places
        self._workers: list[_Worker] = []
        self._deaths = Deaths()

    def start(self) -> None:
        """Start one worker for each place."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for number, place in enumerate(self._places, start=1):
            worker = _Worker(place, self._logs / f"worker-{number}.log")
            self._spawn(worker)
            self._workers.append(worker)

    def replace_dead(self, closed: int = 0) -> bool:
        """Start dead workers again and return whether any is at work, or has died meanwhile and is for the next time.

        A place whose workers keep dying without a finished trial is given up. Raises SearchFailure where that was the
        last one, and SearchError where a worker was given something that none can use. Deaths are reported with their
        causes, and so is it if `closed`, the number of closed slots, stays as it is for long.
        """
        self._deaths.watch(closed)
        for worker in tuple(self._workers):
            if worker.process.poll():  # neither None, at work, nor 0, at the study's end
                self._start_again(worker)
        return any(worker.process.poll() != 0 for worker in self._workers)

    def _start_again(self, worker: _Worker) -> None:
        code = worker.process.returncode
        cause, words = cause_of(code, kills_for_memory() - worker.kills), _last_line(worker)
        notice = f"({cause}); see {worker.log}: {words}"
        if code == BAD_INPUT:
            raise SearchError(f"the workers cannot work {notice}")
        _close(worker.process.stdin)
        if not self._is_hopeless(worker):
            self._deaths.tell(f"the worker of {worker.log}", cause, words, killed=code < 0)
            self._spawn(worker)
            return
        self._workers.remove(worker)
        if not self._workers:
            raise SearchFailure(f"the workers cannot work {notice}")
        _log.warning("giving up on a worker that keeps dying %s", notice)

    def _is_hopeless(self, worker: _Worker) -> bool:
        """Count a death, and tell whether its place has had too many."""
        finished = None
        with suppress(SQLAlchemyError):
            finished = finished_by(self._study, worker.name)
        worker.deaths = 0 if finished else worker.deaths + 1
        return worker.deaths > (FRUITLESS_DEATHS if finished is None else MAX_LOSSES)

    def stop(self) -> None:
        """Ask all workers to give their trials back and end; kill those that do not within a minute."""
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            _close(worker.process.stdin)

    def _spawn(self, worker: _Worker) -> None:
        # A worker's settings are the study's and ours; a variable or a file may say what a flag has overruled.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        # The storage goes through the environment: a command line can be read by every user of the machine.
        environment |= {**worker.place.environment(), "AGESEARCH_STORAGE": self._study.storage.url}
        environment["AGESEARCH_CONFIG"] = os.devnull
        command = [*self._program, *worker.place.flags(), f"--study={self._study.name}"]
        for name, value in self._settings.items():
            flag = f"--{name.replace('_', '-')}"
            command.append(flag if value == "true" else f"{flag}={value}")
        with worker.log.open("ab") as log:
            worker.logged, worker.kills = log.tell(), kills_for_memory()
            worker.process = subprocess.Popen(  # noqa: S603 - our own program, with arguments that no shell sees
                command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        worker.name = process_of(worker.process.pid)


def stop_when_untethered(stop: Event) -> None:
    """Set `stop` once the launcher, which holds the other end of stdin, has ended; meant for a thread of its own."""
    while os.read(0, 4096):
        pass
    stop.set()


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


def _last_line(worker: _Worker) -> str:
    with worker.log.open("rb") as log:
        log.seek(worker.logged)
        lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
