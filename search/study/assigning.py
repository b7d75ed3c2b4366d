"""What the trial of a claim is, where that depends on what else there is of the study: samplers that learn."""

from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from search.space.distributions import value_of
from search.space.learning import Seen
from search.space.ranges import Value
from search.space.samplers import LEARNING
from search.storage.optuna_tables import attributes, params, trials, values
from search.storage.patience import outlasting
from search.storage.tables import CLAIMED, FAILED, FINISHED, slots
from search.study.assignment import Assignment
from search.study.claims import Claim
from search.study.plans import Sampled
from search.study.stages import read_stage
from search.study.study import Study


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


def seen_trials(tx: Connection, study: str, claim: Claim) -> list[Seen]:
    """Return the trials of all other slots up to the claim's stage, in their order."""
    query = (
        select(slots.c.stage, slots.c.slot, slots.c.state, values.c.value)
        .add_columns(params.c.param_name, params.c.param_value, params.c.distribution_json)
        .join(params, params.c.trial_id == slots.c.trial_id)
        .outerjoin(values, values.c.trial_id == slots.c.trial_id)
        .where(slots.c.study == study, slots.c.stage <= claim.stage)
        .where(slots.c.state.in_((CLAIMED, FINISHED, FAILED)))
        .order_by(slots.c.stage, slots.c.slot)
    )
    found = groupby(tx.execute(query), key=attrgetter("stage", "slot", "state", "value"))
    return [
        Seen(stage, slot, _params(rows), state != CLAIMED, value if state == FINISHED else None)
        for (stage, slot, state, value), rows in found
        if (stage, slot) != (claim.stage, claim.slot)
    ]


def _params_before(tx: Connection, study: Study, claim: Claim) -> dict[str, Value]:
    """Return the parameters of the first attempt at the claim's slot; {} where it got as far as no trial."""
    place = {"stage": claim.stage, "slot": claim.slot}
    query = select(trials.c.trial_id).where(trials.c.study_id == study.id).order_by(trials.c.trial_id).limit(1)
    for key, value in place.items():
        own = attributes.alias()
        query = query.join(own, (own.c.trial_id == trials.c.trial_id) & (own.c.key == key))
        query = query.where(own.c.value_json == str(value))
    return _params(tx.execute(select(params).where(params.c.trial_id == query.scalar_subquery())))


def _params(rows: Any) -> dict[str, Value]:
    return {row.param_name: value_of(row.param_value, row.distribution_json) for row in rows}
