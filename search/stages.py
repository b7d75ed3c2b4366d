"""The stages of a study: their boxes, and how each comes to be exactly once."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from search.documents import from_json, to_json
from search.narrowing import Narrowing, narrow, override
from search.space import Box
from search.study import Study
from search.tables import WAITING, Now, slots, stages
from search.trials import Trials


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, numbered from 1: how many slots it has, the box they sample from, and how that came about."""

    number: int
    slots: int
    box: Box
    narrowing: Narrowing | None


def list_stages(study: Study) -> tuple[Stage, ...]:
    """Return the stages opened so far, in their order."""
    query = select(stages).where(stages.c.study == study.name).order_by(stages.c.stage)
    with study.storage.engine.begin() as tx:
        return tuple(_read(row) for row in tx.execute(query))


def read_stage(study: Study, number: int) -> Stage:
    """Return a stage that has been opened."""
    with study.storage.engine.begin() as tx:
        return _read(tx.execute(select(stages).where(stages.c.study == study.name, stages.c.stage == number)).one())


def open_next(study: Study, done: int) -> None:
    """Open the stage after `done`, all of whose slots are closed (0: the first stage); do nothing if it is open.

    Closed slots and their trials never change again, so whoever comes here computes the same box. The stage and its
    slots appear in one transaction, and its primary key lets that happen once.
    """
    stage = _after(study, done)
    row = {"study": study.name, "stage": stage.number}
    free = [
        row | {"slot": slot, "state": WAITING, "token": 0, "failures": 0, "losses": 0} for slot in range(stage.slots)
    ]
    with suppress(IntegrityError), study.storage.engine.begin() as tx:
        narrowing = None if stage.narrowing is None else to_json(stage.narrowing)
        tx.execute(
            insert(stages).values(**row, slots=stage.slots, box=to_json(stage.box), narrowing=narrowing, created=Now())
        )
        tx.execute(insert(slots), free)


def _after(study: Study, done: int) -> Stage:
    count = study.spec.stages[done]
    if done == 0:
        return Stage(1, count, study.spec.box, None)
    old = read_stage(study, done).box
    narrowing = override(old, study.spec.ranges) if study.spec.ranges else narrow(old, Trials(study).complete(done))
    return Stage(done + 1, count, narrowing.new, narrowing)


def _read(row: Row[Any]) -> Stage:
    narrowing = None if row.narrowing is None else from_json(Narrowing, row.narrowing)
    return Stage(row.stage, row.slots, from_json(Box, row.box), narrowing)
