"""Workers on a Ray cluster: Ray places them on its nodes, and starts those again that die with their process or node.

What Ray does twice does no harm: a slot is closed once, whoever runs its trial.
"""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from math import floor
from typing import Any

from search.errors import SearchError, SearchFailure
from search.run.deaths import Deaths
from search.run.launcher import FRUITLESS_DEATHS, STOP_SECONDS
from search.settings.settings import Settings
from search.storage.address import file_of, is_sqlite, parse_address
from search.study.study import Study

ANSWER_SECONDS = 10.0
"""How long a cluster's head may take to accept a connection."""

_RESTARTS = 10  # by Ray itself, of one worker; one that finished a trial meanwhile may have as many again


@dataclass(frozen=True, slots=True)
class Order:
    """What one worker gets; its storage holds the password, and is not shown."""

    storage: str = field(repr=False)
    study: str
    settings: Mapping[str, str]
    gpu_share: float


@dataclass(frozen=True, slots=True)
class Need:
    """What a worker takes of its node: CPUs, and GPUs or a share of one."""

    cpus: int
    gpus: float

    def __str__(self) -> str:
        return f"{self.cpus} CPU{'s' * (self.cpus > 1)}" + (f" and {self.gpus:g} GPU" if self.gpus else "")

    def room(self, resources: dict[str, float]) -> int:
        """Return how many such workers a node with these resources has room for."""
        rooms = [resources.get("CPU", 0) // self.cpus]
        if self.gpus >= 1:
            rooms.append(resources.get("GPU", 0) // self.gpus)
        elif self.gpus:
            rooms.append(resources.get("GPU", 0) * floor(1 / self.gpus + 1e-9))
        return int(min(rooms))


class RayWorkers:
    """The workers of one study on a cluster."""

    def __init__(
        self, settings: Settings, study: Study, own: Mapping[str, str], cpus: int, job: Callable[[Order], None]
    ) -> None:
        """Let workers with the settings `own`, of so many CPUs each, do `job`, a function that Ray can send."""
        self._settings, self._study, self._own, self._cpus, self._job = settings, study, own, cpus, job
        self._ray: Any = None
        self._connection = ExitStack()
        self._tasks: list[Any] = []
        self._submit: Callable[[], Any]
        self._wanted = self._fruitless = 0
        self._closed = 0
        self._deaths = Deaths()

    def start(self) -> None:
        """Connect to the cluster, and let Ray find a place for each worker.

        Raises SearchError where there is no cluster or none that can do it.
        """
        self._ray = _connected(self._settings.on, self._connection)
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        _refuse_far_file(self._study, nodes)
        need = _need(self._settings, self._cpus, nodes)
        room = sum(need.room(node["Resources"]) for node in nodes)
        if room == 0:
            raise SearchError(
                f"no node of the Ray cluster has the {need} that a worker needs; it has "
                f"{_resources(nodes)}: give other --gpus-per-worker or --threads, or add a node"
            )
        self._submit = self._submission(need)
        self._wanted = room if self._settings.workers == "auto" else self._settings.workers
        self._tasks = [self._submit() for _ in range(self._wanted)]

    def replace_dead(self, closed: int) -> bool:
        """Start workers again that Ray has given up, and return whether any is still at work or waits for a place.

        `closed` is how many slots are closed. Raises SearchFailure where workers keep dying without closing one, and
        SearchError where one was given something that none can use.
        """
        self._deaths.watch(closed)
        if closed != self._closed:
            self._fruitless, self._closed = 0, closed
        if not self._tasks:
            return False
        ended, self._tasks = self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=0)
        for task in ended:
            if (cause := self._death(task)) is not None:
                self._start_again(cause)
        return bool(self._tasks)

    def stop(self) -> None:
        """Ask all workers to give their trials back and end, end those that do not within a minute, and disconnect."""
        tasks, self._tasks = self._tasks, []  # to stop twice is to stop once
        try:
            for task in tasks:
                self._ray.cancel(task)
            deaf = self._ray.wait(tasks, num_returns=len(tasks), timeout=STOP_SECONDS)[1] if tasks else []
            for task in deaf:
                self._ray.cancel(task, force=True)
        finally:
            self._connection.close()

    def _submission(self, need: Need) -> Callable[[], Any]:
        share = need.gpus if 0 < need.gpus < 1 else 1.0
        order = Order(_for_others(self._study.storage.url), self._study.name, self._own, share)
        task = self._ray.remote(num_cpus=need.cpus, num_gpus=need.gpus, max_retries=_RESTARTS)(self._job)
        return lambda: task.options(name=f"agesearch worker of {self._study.name}").remote(order)

    def _death(self, task: Any) -> Exception | None:
        """Return what a worker died of; None where it has ended because nothing is left to do."""
        try:
            self._ray.get(task)
        except self._ray.exceptions.RayTaskError as error:
            return error.cause if isinstance(error.cause, Exception) else error
        except self._ray.exceptions.RayError as error:
            return error  # type: ignore[no-any-return]  # Ray's own, such as of a process or node that died
        return None

    def _start_again(self, cause: Exception) -> None:
        self._fruitless += 1
        words = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        notice = f"the workers on Ray cannot work: {words}"
        if isinstance(cause, SearchError) and not isinstance(cause, SearchFailure):
            raise SearchError(notice)
        if self._fruitless > FRUITLESS_DEATHS * self._wanted:
            raise SearchFailure(notice)
        self._deaths.tell("a worker on Ray", type(cause).__name__, words)
        self._tasks.append(self._submit())


def _connected(address: str, connection: ExitStack) -> Any:
    """Return Ray, connected until `connection` is closed."""
    try:
        import ray
    except ImportError as error:
        raise SearchError(f"--on {address} needs Ray, which is not installed: pip install 'agesearch[ray]'") from error
    # Ray tells of dead nodes on stdout, whatever it is asked to log; there our results go.
    connection.enter_context(redirect_stdout(sys.stderr))
    terminate = signal.getsignal(signal.SIGTERM)
    try:
        _require_answer(os.environ.get("RAY_ADDRESS", "") if address == "ray" else address)
        ray.init("auto" if address == "ray" else address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        connection.close()
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SearchError(
            f"--on {address} reaches no Ray cluster: {reason}; start one with 'ray start --head', or name its "
            "head as in --on ray://HOST:10001"
        ) from error
    finally:
        signal.signal(signal.SIGTERM, terminate)
    connection.callback(ray.shutdown)
    return ray


def _require_answer(address: str) -> None:
    """Raise OSError where nobody listens at HOST:PORT: Ray itself would go on trying for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()


def _refuse_far_file(study: Study, nodes: Sequence[dict[str, Any]]) -> None:
    """Refuse a file as storage where a worker may be on another machine than it."""
    if not is_sqlite(parse_address(study.storage.url)):
        return
    if len(nodes) > 1 or nodes[0]["NodeManagerHostname"] != socket.gethostname():
        raise SearchError(
            f"--storage {study.storage} is a file of one machine, and the Ray cluster has other nodes "
            f"({len(nodes)} in all); use PostgreSQL (--storage postgresql+psycopg://USER@HOST/DATABASE), to which "
            "'agesearch move' takes this study"
        )


def _need(settings: Settings, cpus: int, nodes: Sequence[dict[str, Any]]) -> Need:
    """Return what a worker takes; by itself, its share of a GPU where there are any."""
    if settings.gpus_per_worker != "auto":
        return Need(cpus, settings.gpus_per_worker)
    any_gpu = any(node["Resources"].get("GPU") for node in nodes)
    return Need(cpus, 1 / settings.per_gpu if any_gpu else 0.0)


def _resources(nodes: Sequence[dict[str, Any]]) -> str:
    held = [node["Resources"] for node in nodes]
    return ", ".join(f"{each.get('CPU', 0):g} CPU and {each.get('GPU', 0):g} GPU" for each in held)


def _for_others(url: str) -> str:
    """Return a storage's URL as a process in another directory needs it."""
    address = parse_address(url)
    if is_sqlite(address):
        address = address.set(database=str(file_of(address).resolve()))
    return address.render_as_string(hide_password=False)
