"""Reading what a stage has come to, straight from the tables, as the narrowing does in its transaction.

Optuna would load ten thousand trials in ten seconds, all the while keeping every worker from the storage.
"""

import json
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from search.space.learning_samplers import Seen
from search.space.narrowing import FinishedTrial
from search.storage.optuna_tables import attributes, reports, trials, values
from search.storage.tables import CLAIMED, FAILED, FINISHED, slots
from search.study.study import Study
from search.study.trials import PRUNED_AFTER


def finished_trials(tx: Connection, study: str, stage: int) -> list[FinishedTrial]:
    """Return the trials of a stage that ended with a value and closed their slots, in the order of the slots."""
    query = (
        select(slots.c.slot, trials.c.number, values.c.value, slots.c.params)
        .join(trials, trials.c.trial_id == slots.c.trial_id)
        .join(values, values.c.trial_id == slots.c.trial_id)
        .where(slots.c.study == study, slots.c.stage == stage, slots.c.state == FINISHED)
        .order_by(slots.c.slot)
    )
    return [FinishedTrial(row.slot, row.number, row.value, json.loads(row.params)) for row in tx.execute(query)]


def seen_trials(tx: Connection, study: Study, stage: int, slot: int) -> list[Seen]:
    """Return the trials of all other slots up to a slot's stage that have parameters, in their order.

    What they scored and reported are losses, of which the lowest is the best.
    """
    loss = study.spec.task.score.loss
    query = (
        select(slots.c.stage, slots.c.slot, slots.c.state, values.c.value, slots.c.params)
        .outerjoin(values, values.c.trial_id == slots.c.trial_id)
        .where(slots.c.study == study.name, slots.c.stage <= stage, slots.c.params.is_not(None))
        .where(slots.c.state.in_((CLAIMED, FINISHED, FAILED)))
        .order_by(slots.c.stage, slots.c.slot)
    )
    reported = _last_reports(tx, study.name, stage)
    last = {place: (step, loss(value)) for place, (step, value) in reported.items()}
    return [
        Seen(
            row.stage,
            row.slot,
            json.loads(row.params),
            ended=row.state != CLAIMED,
            score=loss(row.value) if row.state == FINISHED and row.value is not None else None,
            last=last.get((row.stage, row.slot)),
        )
        for row in tx.execute(query)
        if (row.stage, row.slot) != (stage, slot)
    ]


def _last_reports(tx: Connection, study: str, stage: int) -> dict[tuple[int, int], tuple[int, float]]:
    """Return step and value of the last report of the pruned trials up to a stage, by slot."""
    query = (
        select(slots.c.stage, slots.c.slot, reports.c.step, reports.c.intermediate_value)
        .join(reports, reports.c.trial_id == slots.c.trial_id)
        .join(attributes, attributes.c.trial_id == slots.c.trial_id)
        .where(slots.c.study == study, slots.c.stage <= stage, slots.c.state == FINISHED)
        .where(attributes.c.key == PRUNED_AFTER, reports.c.intermediate_value.is_not(None))
        .order_by(reports.c.step)
    )
    return {(row.stage, row.slot): (row.step, row.intermediate_value) for row in tx.execute(query)}


def count_without_value(tx: Connection, study: str, stage: int) -> int:
    """Return how many trials of a stage have finished without a value."""
    of_stage = (slots.c.study == study, slots.c.stage == stage, slots.c.state == FINISHED)
    query = select(func.count()).select_from(slots).outerjoin(values, values.c.trial_id == slots.c.trial_id)
    return tx.scalar(query.where(*of_stage, values.c.value.is_(None))) or 0


def best_finished(tx: Connection, study: Study, count: int | None = None) -> list[tuple[int, float]]:
    """Return id in Optuna and value of the best `count` sampled trials, or of all; ties in slot order."""
    order = values.c.value if study.spec.task.score.direction == "minimize" else values.c.value.desc()
    query = (
        select(slots.c.trial_id, values.c.value)
        .join(values, values.c.trial_id == slots.c.trial_id)
        .where(slots.c.study == study.name, slots.c.stage <= len(study.spec.trials), slots.c.state == FINISHED)
        .order_by(order, slots.c.stage, slots.c.slot)
        .limit(count)
    )
    return [(row.trial_id, row.value) for row in tx.execute(query)]


def measured(tx: Connection, study: str, stage: int, name: str) -> dict[int, Any]:
    """Return by slot what the finished trials of a stage have under that name, as in "validation_mae"."""
    query = (
        select(slots.c.slot, attributes.c.value_json)
        .join(attributes, attributes.c.trial_id == slots.c.trial_id)
        .where(slots.c.study == study, slots.c.stage == stage, slots.c.state == FINISHED, attributes.c.key == name)
    )
    return {row.slot: json.loads(row.value_json) for row in tx.execute(query)}
