"""The stages of a study: how each comes to be exactly once, which plan it gets, and what that makes of its slots."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, insert, literal, select
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from search.space.box import Box, around
from search.space.learning_samplers import Seen
from search.space.narrowing import Narrowing, narrow, override
from search.space.samplers import LEARNING
from search.storage.documents import to_json
from search.storage.retry import retry_interrupted
from search.storage.tables import WAITING, Now, slots, stages
from search.study.assignment import Assignment
from search.study.finished import count_without_value, finished_trials
from search.study.plans import Finalists, Plan, Sampled, Variants, candidates, plan_from_json
from search.study.study import Study, readable, require_undeleted


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, numbered from 1, and the plan of its slots."""

    number: int
    plan: Plan

    @property
    def learns(self) -> bool:
        """Whether its slots' parameters depend on the trials that have ended."""
        return isinstance(self.plan, Sampled) and self.plan.sampler in LEARNING

    def assignment(self, study_seed: int, slot: int) -> Assignment:
        """Return what the trial of one of its slots is; where a sampler learns, without its parameters."""
        if isinstance(self.plan, Sampled) and self.learns:
            drawn = replace(self.plan, sampler="random").assignment(study_seed, self.number, slot)
            return replace(drawn, params={})
        return self.plan.assignment(study_seed, self.number, slot)

    def given(self, study_seed: int, slot: int, seen: Sequence[Seen]) -> Assignment:
        """Return what the trial of a slot is, with all its parameters, where `seen` are the trials to learn from."""
        if isinstance(self.plan, Sampled):
            return self.plan.assignment(study_seed, self.number, slot, seen)
        return self.assignment(study_seed, slot)


@retry_interrupted
def list_stages(study: Study) -> tuple[Stage, ...]:
    """Return the stages opened so far, in their order."""
    with study.storage.engine.begin() as tx:
        rows = tx.execute(_rows_of(study)).all()
    return tuple(_read(study, row) for row in rows)


def sampled_stages(study: Study) -> tuple[tuple[int, Sampled], ...]:
    """Return number and plan of the stages opened so far that look for configurations."""
    return tuple((stage.number, stage.plan) for stage in list_stages(study) if isinstance(stage.plan, Sampled))


@retry_interrupted
def read_stage(study: Study, number: int) -> Stage:
    """Return a stage that has been opened."""
    with study.storage.engine.begin() as tx:
        return stage_of(tx, study, number)


def stage_of(tx: Connection, study: Study, number: int) -> Stage:
    """Return a stage that has been opened."""
    return _read(study, tx.execute(_rows_of(study).where(stages.c.stage == number)).one())


@retry_interrupted
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
            _insert(tx, study, Stage(done + 1, _next_plan(tx, study, [_read(study, row).plan for row in opened])))


def _insert(tx: Connection, study: Study, stage: Stage) -> None:
    key = {"study": study.name, "stage": stage.number}
    tx.execute(insert(stages).values(**key, slots=stage.plan.slots, plan=to_json(stage.plan), created=Now()))
    # The database counts them: a hundred thousand rows that are sent take five seconds.
    numbers = select(literal(0).label("slot")).where(literal(stage.plan.slots) > 0).cte(recursive=True)
    numbers = numbers.union_all(select(numbers.c.slot + 1).where(numbers.c.slot + 1 < stage.plan.slots))
    free = key | {"state": WAITING, "token": 0, "failures": 0, "losses": 0}
    rows = select(*(literal(value).label(name) for name, value in free.items()), numbers.c.slot)
    tx.execute(insert(slots).from_select([*free, "slot"], rows))


def _rows_of(study: Study) -> Select[Any]:
    return select(stages).where(stages.c.study == study.name).order_by(stages.c.stage)


def _read(study: Study, row: Row[Any]) -> Stage:
    with readable(study.storage, study.name):
        return Stage(row.stage, plan_from_json(row.plan))


def _next_plan(tx: Connection, study: Study, before: Sequence[Plan]) -> Plan:
    """Return the plan of the stage that comes after those in `before`, all of whose slots are closed."""
    spec, number = study.spec, len(before) + 1
    if spec.experiment is not None:
        return Variants(spec.experiment)
    boxes = [plan.box for plan in before]
    if number > len(spec.trials):
        return _finalists(tx, study, boxes)
    narrowing = _narrowing(tx, study, boxes[-1], number) if boxes else None
    box = narrowing.new if narrowing else spec.box
    enqueued = spec.enqueued if number == 1 else ()
    pruning = None if spec.pruning == "none" else spec.pruning
    return Sampled(spec.trials[number - 1], box, narrowing, spec.budget, enqueued, spec.sampler, pruning)


def _narrowing(tx: Connection, study: Study, old: Box, number: int) -> Narrowing:
    if study.spec.ranges is not None:
        return override(old, study.spec.ranges)
    before = (tx, study.name, number - 1)
    return narrow(old, finished_trials(*before), count_without_value(*before), study.spec.task.score)


def _finalists(tx: Connection, study: Study, boxes: Sequence[Box]) -> Finalists:
    wanted = study.spec.finalists
    if wanted is None:
        raise ValueError(f"the study {study.name!r} has no stage {len(boxes) + 1}")
    finished = [trial for stage in range(1, len(boxes) + 1) for trial in finished_trials(tx, study.name, stage)]
    best = candidates(finished, wanted.configurations, study.spec.task.score)
    return Finalists(best, around(boxes), wanted.repeats, wanted.budget)
