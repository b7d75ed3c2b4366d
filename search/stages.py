"""The stages of a study: their boxes, and how each comes to be exactly once."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from search.documents import from_json, to_json
from search.finished import finished_trials
from search.narrowing import Narrowing, narrow, override
from search.space import Box
from search.study import Study
from search.tables import WAITING, Now, slots, stages


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
        return _read(tx.execute(_row_of(study, number)).one())


def open_next(study: Study, done: int) -> None:
    """Open the stage after `done`, all of whose slots are closed (0: the first stage); do nothing if it is open.

    One transaction reads the trials of the last stage and writes the new one with its slots, so that no other worker
    sees half of it. Where transactions run side by side (PostgreSQL) the primary key lets one of them through; they
    would all write the same, as closed slots and their trials never change again.
    """
    with suppress(IntegrityError), study.storage.engine.begin() as tx:
        if tx.execute(_row_of(study, done + 1)).first() is None:
            _insert(tx, study, _after(tx, study, done))


def _after(tx: Connection, study: Study, done: int) -> Stage:
    count = study.spec.trials[done]
    if done == 0:
        return Stage(1, count, study.spec.box, None)
    old = _read(tx.execute(_row_of(study, done)).one()).box
    if study.spec.ranges is not None:
        narrowing = override(old, study.spec.ranges)
    else:
        narrowing = narrow(old, finished_trials(tx, study.name, done))
    return Stage(done + 1, count, narrowing.new, narrowing)


def _insert(tx: Connection, study: Study, stage: Stage) -> None:
    key = {"study": study.name, "stage": stage.number}
    narrowing = None if stage.narrowing is None else to_json(stage.narrowing)
    row = {"slots": stage.slots, "box": to_json(stage.box), "narrowing": narrowing}
    tx.execute(insert(stages).values(**key, **row, created=Now()))
    free = key | {"state": WAITING, "token": 0, "failures": 0, "losses": 0}
    tx.execute(insert(slots), [free | {"slot": slot} for slot in range(stage.slots)])


def _row_of(study: Study, number: int) -> Select[Any]:
    return select(stages).where(stages.c.study == study.name, stages.c.stage == number)


def _read(row: Row[Any]) -> Stage:
    narrowing = None if row.narrowing is None else from_json(Narrowing, row.narrowing)
    return Stage(row.stage, row.slots, from_json(Box, row.box), narrowing)
