"""The stages of a study: how each comes to be exactly once, which plan it gets, and what that makes of a claim."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from search.space.box import Box, around
from search.space.narrowing import Narrowing, narrow, override
from search.space.ranges import Value
from search.space.samplers import LEARNING
from search.storage.documents import to_json
from search.storage.optuna_tables import attributes, params, trials
from search.storage.patience import outlasting
from search.storage.tables import WAITING, Now, slots, stages
from search.study.assignment import Assignment, Pruning
from search.study.claims import Claim
from search.study.finished import count_without_value, finished_trials, params_of, seen_trials
from search.study.plans import Finalists, Plan, Sampled, Variants, candidates, plan_from_json
from search.study.study import Study, readable, require_undeleted
from search.study.trials import FORGOTTEN


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
    return tuple(_read(study, row) for row in rows)


def sampled_stages(study: Study) -> tuple[tuple[int, Sampled], ...]:
    """Return number and plan of the stages opened so far that look for configurations."""
    return tuple((stage.number, stage.plan) for stage in list_stages(study) if isinstance(stage.plan, Sampled))


@outlasting
def read_stage(study: Study, number: int) -> Stage:
    """Return a stage that has been opened."""
    with study.storage.engine.begin() as tx:
        row = tx.execute(_rows_of(study).where(stages.c.stage == number)).one()
    return _read(study, row)


@outlasting
def assigned(study: Study, claim: Claim) -> Assignment:
    """Return what the trial of a claim is, the same at every attempt at the slot.

    A sampler that learns was asked at the first attempt, and its answer stands in that attempt's trial.
    """
    stage = read_stage(study, claim.stage)
    if not isinstance(stage.plan, Sampled) or stage.plan.sampler not in LEARNING:
        return stage.assignment(study.spec.seed, claim.slot)
    with study.storage.engine.begin() as tx:
        before = _params_before(tx, study, claim) if claim.token > 1 else {}
        seen = [] if before else seen_trials(tx, study.name, claim)
    if before:
        return replace(stage.assignment(study.spec.seed, claim.slot), params=before)
    return stage.plan.assignment(study.spec.seed, claim.stage, claim.slot, seen)


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
            _insert(tx, study, Stage(done + 1, _next_plan(tx, study, [_read(study, row).plan for row in opened])))


def _insert(tx: Connection, study: Study, stage: Stage) -> None:
    key = {"study": study.name, "stage": stage.number}
    tx.execute(insert(stages).values(**key, slots=stage.plan.slots, plan=to_json(stage.plan), created=Now()))
    free = key | {"state": WAITING, "token": 0, "failures": 0, "losses": 0}
    rows: Sequence[dict[str, Any]] = [free | {"slot": slot} for slot in range(stage.plan.slots)]
    if rows:  # there is no finalist where no trial has a value
        tx.execute(insert(slots), rows)


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
    pruning = None if spec.pruning == "none" else Pruning(spec.pruning, spec.pruning_images)
    return Sampled(spec.trials[number - 1], box, narrowing, spec.images, spec.epochs, enqueued, spec.sampler, pruning)


def _narrowing(tx: Connection, study: Study, old: Box, number: int) -> Narrowing:
    if study.spec.ranges is not None:
        return override(old, study.spec.ranges)
    before = (tx, study.name, number - 1)
    return narrow(old, finished_trials(*before), count_without_value(*before))


def _finalists(tx: Connection, study: Study, boxes: Sequence[Box]) -> Finalists:
    wanted = study.spec.finalists
    if wanted is None:
        raise ValueError(f"the study {study.name!r} has no stage {len(boxes) + 1}")
    finished = [trial for stage in range(1, len(boxes) + 1) for trial in finished_trials(tx, study.name, stage)]
    best = candidates(finished, wanted.configurations)
    return Finalists(best, around(boxes), wanted.repeats, wanted.images, wanted.epochs)


def _params_before(tx: Connection, study: Study, claim: Claim) -> dict[str, Value]:
    """Return the parameters of the last attempt at the claim's slot; {} where none got as far as a trial.

    They are those of the first attempt since the slot's stage was planned: those before are forgotten.
    """
    place = {"stage": claim.stage, "slot": claim.slot}
    forgotten = select(attributes.c.trial_id).where(attributes.c.key == FORGOTTEN)
    of_study = (trials.c.study_id == study.id, trials.c.trial_id.not_in(forgotten))
    query = select(trials.c.trial_id).where(*of_study).order_by(trials.c.trial_id.desc()).limit(1)
    for key, value in place.items():
        own = attributes.alias()
        query = query.join(own, (own.c.trial_id == trials.c.trial_id) & (own.c.key == key))
        query = query.where(own.c.value_json == str(value))
    return params_of(tx.execute(select(params).where(params.c.trial_id == query.scalar_subquery())))
