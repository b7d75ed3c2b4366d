"""How far the slots of a study are, for those who look on: they keep no worker waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Row

from search.storage.engines import unlocked
from search.storage.retry import retry_interrupted
from search.storage.tables import FAILED, slots, stages
from search.study.study import Study


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """How many slots of a stage are in each state."""

    waiting: int = 0
    claimed: int = 0
    finished: int = 0
    failed: int = 0

    @property
    def open(self) -> int:
        """How many are not closed yet."""
        return self.waiting + self.claimed

    @property
    def closed(self) -> int:
        """How many are closed, with a finished trial or without."""
        return self.finished + self.failed


@dataclass(frozen=True, slots=True)
class StageTally:
    """How many slots a stage has, how many are in each state, and how many attempts at them have failed."""

    slots: int
    counts: SlotCounts
    failures: int = 0


@dataclass(frozen=True, slots=True)
class FailedSlot:
    """A slot that was closed without a finished trial, and why."""

    stage: int
    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class FailingSlot:
    """A slot of which so many attempts failed, why the last one did, and whether it was closed for that."""

    stage: int
    slot: int
    reason: str
    failures: int
    closed: bool


@retry_interrupted
def tally(study: Study) -> tuple[StageTally, ...]:
    """Return how many slots of each stage opened so far are in each state, in two statements however many."""
    sizes = select(stages.c.stage, stages.c.slots).where(stages.c.study == study.name)
    columns = slots.c.stage, slots.c.state, func.count(), func.sum(slots.c.failures)
    states = select(*columns).where(slots.c.study == study.name)
    with unlocked(study.storage.engine) as tx:
        opened = tx.execute(sizes.order_by(stages.c.stage)).all()
        found = tx.execute(states.group_by(slots.c.stage, slots.c.state)).all()
    return tuple(
        StageTally(
            size,
            SlotCounts(**{state: count for of, state, count, _ in found if of == stage}),
            sum(failures for of, _, _, failures in found if of == stage),
        )
        for stage, size in opened
    )


def failed(study: Study) -> tuple[FailedSlot, ...]:
    """Return the slots that were closed without a finished trial."""
    return tuple(FailedSlot(row.stage, row.slot, row.reason) for row in _rows(study, slots.c.state == FAILED))


def failing(study: Study) -> tuple[FailingSlot, ...]:
    """Return the slots of which an attempt has failed, closed or not."""
    rows = _rows(study, slots.c.failures > 0)
    return tuple(FailingSlot(row.stage, row.slot, row.reason, row.failures, row.state == FAILED) for row in rows)


@retry_interrupted
def _rows(study: Study, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    query = select(slots).where(slots.c.study == study.name, which).order_by(slots.c.stage, slots.c.slot)
    with unlocked(study.storage.engine) as tx:
        return tx.execute(query).all()
