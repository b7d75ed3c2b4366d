"""What the trial of a claim is, where that depends on what else there is of the study: samplers that learn."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.engine import Connection

from search.space.ranges import Value
from search.space.samplers import LEARNING
from search.storage.optuna_tables import attributes, params, trials
from search.storage.patience import outlasting
from search.study.assignment import Assignment
from search.study.claims import Claim
from search.study.finished import params_of, seen_trials
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


def _params_before(tx: Connection, study: Study, claim: Claim) -> dict[str, Value]:
    """Return the parameters of the first attempt at the claim's slot; {} where it got as far as no trial."""
    place = {"stage": claim.stage, "slot": claim.slot}
    query = select(trials.c.trial_id).where(trials.c.study_id == study.id).order_by(trials.c.trial_id).limit(1)
    for key, value in place.items():
        own = attributes.alias()
        query = query.join(own, (own.c.trial_id == trials.c.trial_id) & (own.c.key == key))
        query = query.where(own.c.value_json == str(value))
    return params_of(tx.execute(select(params).where(params.c.trial_id == query.scalar_subquery())))
