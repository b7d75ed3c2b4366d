"""Which stages a study has, and the plan that each of them gets when the stage before it is done."""

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from search.space.box import Box, around
from search.space.narrowing import Narrowing, narrow, override
from search.study.assignment import Pruning
from search.study.candidates import candidates
from search.study.finished import count_finished, finished_trials
from search.study.plans import Finalists, Plan, Sampled, Variants
from search.study.study import Study, StudySpec


def stage_sizes(spec: StudySpec) -> tuple[int, ...]:
    """Return how many slots each stage has; the finalists may turn out to be fewer once their stage is open."""
    if spec.finalists is None:
        return spec.trials
    return (*spec.trials, min(spec.finalists.configurations, sum(spec.trials)) * spec.finalists.repeats)


def slot_costs(spec: StudySpec) -> tuple[int, ...]:
    """Return images × epochs of the trial of each slot, stage after stage: a trial's time goes by them."""
    if spec.experiment is not None:
        return tuple(variant.images * variant.epochs for _, variant, _ in spec.experiment.places())
    costs = [spec.images * spec.epochs] * sum(spec.trials)
    if spec.finalists is not None:
        costs += [spec.finalists.images * spec.finalists.epochs] * (sum(stage_sizes(spec)) - len(costs))
    return tuple(costs)


def next_plan(tx: Connection, study: Study, before: Sequence[Plan]) -> Plan:
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
    scored, before = finished_trials(tx, study.name, number - 1), number - 1
    return narrow(old, scored, count_finished(tx, study.name, before) - len(scored))


def _finalists(tx: Connection, study: Study, boxes: Sequence[Box]) -> Finalists:
    wanted = study.spec.finalists
    if wanted is None:
        raise ValueError(f"the study {study.name!r} has no stage {len(boxes) + 1}")
    finished = [trial for stage in range(1, len(boxes) + 1) for trial in finished_trials(tx, study.name, stage)]
    best = candidates(finished, wanted.configurations)
    return Finalists(best, around(boxes), wanted.repeats, wanted.images, wanted.epochs)
