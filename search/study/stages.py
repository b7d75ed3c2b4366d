"""The stages of a study: the plan of each, and how each comes to be exactly once."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from search.storage.documents import to_json
from search.storage.patience import outlasting
from search.storage.tables import WAITING, Now, slots, stages
from search.study.assignment import Assignment
from search.study.planning import next_plan
from search.study.plans import Plan, Sampled, plan_from_json
from search.study.study import Study, require_undeleted


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, numbered from 1, and the plan of its slots."""

    number: int
    plan: Plan

    def assignment(self, study_seed: int, slot: int) -> Assignment:
        """Return what the trial of one of its slots is."""
        return self.plan.assignment(study_seed, self.number, slot)


@outlasting
def list_stages(study: Study) -> tuple[Stage, ...]:
    """Return the stages opened so far, in their order."""
    with study.storage.engine.begin() as tx:
        rows = tx.execute(_rows_of(study)).all()
    return tuple(map(_read, rows))


def sampled_stages(study: Study) -> tuple[tuple[int, Sampled], ...]:
    """Return number and plan of the stages opened so far that look for configurations."""
    return tuple((stage.number, stage.plan) for stage in list_stages(study) if isinstance(stage.plan, Sampled))


@outlasting
def read_stage(study: Study, number: int) -> Stage:
    """Return a stage that has been opened."""
    with study.storage.engine.begin() as tx:
        row = tx.execute(_rows_of(study).where(stages.c.stage == number)).one()
    return _read(row)


@outlasting
def open_next(study: Study, done: int) -> None:
    """Open the stage after `done`, all of whose slots are closed (0: the first stage); do nothing if it is open.

    One transaction reads the trials of the last stages and writes the new one with its slots, so that no other worker
    sees half of it. Where transactions run side by side (PostgreSQL) the primary key lets one of them through; they
    would all write the same, as closed slots and their trials never change again.
    """
    with suppress(IntegrityError), study.storage.engine.begin() as tx:
        require_undeleted(tx, study)
        opened = tx.execute(_rows_of(study)).all()
        if len(opened) == done:
            _insert(tx, study, Stage(done + 1, next_plan(tx, study, [_read(row).plan for row in opened])))


def _insert(tx: Connection, study: Study, stage: Stage) -> None:
    key = {"study": study.name, "stage": stage.number}
    tx.execute(insert(stages).values(**key, slots=stage.plan.slots, plan=to_json(stage.plan), created=Now()))
    free = key | {"state": WAITING, "token": 0, "failures": 0, "losses": 0}
    rows: Sequence[dict[str, Any]] = [free | {"slot": slot} for slot in range(stage.plan.slots)]
    if rows:  # there is no finalist where no trial has a value
        tx.execute(insert(slots), rows)


def _rows_of(study: Study) -> Select[Any]:
    return select(stages).where(stages.c.study == study.name).order_by(stages.c.stage)


def _read(row: Row[Any]) -> Stage:
    return Stage(row.stage, plan_from_json(row.plan))
