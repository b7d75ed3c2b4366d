"""The workers of a study: who they are, since when, and when they were last heard of."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from search.storage.retry import retry_interrupted
from search.storage.tables import CLAIMED, FINISHED, Now, slots, workers
from search.study.owner import host_and_pid, is_gone
from search.study.study import Study

RUNNING: Final = "running"
STOPPED: Final = "stopped"

_SEEN_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker as `status` shows it.

    `state` is running, stopped, or dead where that is certain; `started` in seconds since 1970, `silent_for` in
    seconds; `finished` slots it has closed, and `runs` the stage and slot it holds.
    """

    worker: str
    host: str
    pid: int
    device: str
    state: str
    started: float
    silent_for: float
    finished: int
    runs: tuple[int, int] | None


@contextmanager
def present(study: Study, worker: str, device: str) -> Iterator[None]:
    """Enter a worker into the study's list for the length of the block."""
    _enter(study, worker, device)
    try:
        yield
    finally:
        _leave(study, worker)


@retry_interrupted
def _enter(study: Study, worker: str, device: str) -> None:
    host, pid = host_and_pid(worker)
    row = {"study": study.name, "worker": worker, "host": host, "pid": pid, "device": device}
    with study.storage.engine.begin() as tx:
        tx.execute(delete(workers).where(*_this(study, worker)))
        tx.execute(insert(workers).values(**row, state=RUNNING, started=Now(), last_seen=Now()))


@retry_interrupted
def _leave(study: Study, worker: str) -> None:
    with study.storage.engine.begin() as tx:
        tx.execute(update(workers).where(*_this(study, worker)).values(state=STOPPED, last_seen=Now()))


def _this(study: Study, worker: str) -> tuple[Any, ...]:
    return (workers.c.study == study.name, workers.c.worker == worker)


class Presence:
    """A worker's signs of life, of which one every few seconds is written: a write costs the disk a turn."""

    def __init__(self, study: str) -> None:
        self._study = study
        self._due = -float("inf")  # by this process's own clock, which nobody sets

    def note(self, tx: Connection, worker: str) -> None:
        """Note within a transaction that a worker is alive, if it is time."""
        if (now := time.monotonic()) >= self._due:
            this = (workers.c.study == self._study, workers.c.worker == worker)
            tx.execute(update(workers).where(*this).values(last_seen=Now()))
            self._due = now + _SEEN_EVERY


@retry_interrupted
def finished_by(study: Study, worker: str) -> int | None:
    """Return how many trials of slots a worker has finished; None where it never came to claiming one."""
    its_slots = (slots.c.study == workers.c.study, slots.c.owner == workers.c.worker, slots.c.state == FINISHED)
    query = select(func.count(slots.c.slot)).select_from(workers).outerjoin(slots, and_(*its_slots))
    with study.storage.engine.begin() as tx:
        return tx.scalar(query.where(*_this(study, worker)).group_by(workers.c.worker))


@retry_interrupted
def list_workers(study: Study) -> tuple[WorkerView, ...]:
    """Return all workers that the study has had, oldest first."""
    query = select(workers, (Now() - workers.c.last_seen).label("silent_for")).where(workers.c.study == study.name)
    owned = select(slots.c.owner, func.count()).where(slots.c.study == study.name, slots.c.state == FINISHED)
    held = select(slots.c.owner, slots.c.stage, slots.c.slot).where(slots.c.study == study.name)
    with study.storage.engine.begin() as tx:
        rows = tx.execute(query.order_by(workers.c.started, workers.c.worker)).all()
        finished = {row[0]: row[1] for row in tx.execute(owned.group_by(slots.c.owner))}
        runs = {owner: (stage, slot) for owner, stage, slot in tx.execute(held.where(slots.c.state == CLAIMED))}
    return tuple(
        WorkerView(
            worker=row.worker,
            host=row.host,
            pid=row.pid,
            device=row.device,
            state=_state(row),
            started=row.started,
            silent_for=row.silent_for,
            finished=finished.get(row.worker, 0),
            runs=runs.get(row.worker),
        )
        for row in rows
    )


def _state(row: Any) -> str:
    return "dead" if row.state == RUNNING and is_gone(row.worker) else str(row.state)
