"""How far the slots of a study are, for those who look on: they keep no worker waiting."""

from dataclasses import dataclass

from sqlalchemy import func, select

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
    """How many slots a stage has, and how many are in each state."""

    slots: int
    counts: SlotCounts


@dataclass(frozen=True, slots=True)
class FailedSlot:
    """A slot that was closed without a finished trial, and why."""

    stage: int
    slot: int
    reason: str


@retry_interrupted
def tally(study: Study) -> tuple[StageTally, ...]:
    """Return how many slots of each stage opened so far are in each state, in two statements however many."""
    sizes = select(stages.c.stage, stages.c.slots).where(stages.c.study == study.name)
    states = select(slots.c.stage, slots.c.state, func.count()).where(slots.c.study == study.name)
    with unlocked(study.storage.engine) as tx:
        opened = tx.execute(sizes.order_by(stages.c.stage)).all()
        found = tx.execute(states.group_by(slots.c.stage, slots.c.state)).all()
    return tuple(
        StageTally(size, SlotCounts(**{state: count for of, state, count in found if of == stage}))
        for stage, size in opened
    )


@retry_interrupted
def failed(study: Study) -> tuple[FailedSlot, ...]:
    """Return the slots that were closed without a finished trial."""
    query = select(slots).where(slots.c.study == study.name, slots.c.state == FAILED)
    with unlocked(study.storage.engine) as tx:
        rows = tx.execute(query.order_by(slots.c.stage, slots.c.slot)).all()
    return tuple(FailedSlot(row.stage, row.slot, row.reason) for row in rows)
