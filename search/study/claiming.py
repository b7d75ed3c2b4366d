"""Claiming a slot, and making its trial, in one transaction; and taking from the dead what they held."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection, Row

from search.storage.optuna_rows import StoredRange, add_attributes, add_params, create_trial, stored_ranges
from search.storage.tables import CLAIMED, FAILED, WAITING, Now, slots, stages
from search.study.assignment import Assignment
from search.study.claims import Claim, Held
from search.study.clock_jumps import ClockJumpDetector
from search.study.owner import is_gone
from search.study.stages import Stage, stage_of
from search.study.study import Study, deleted, locked
from search.study.trials import fail, origin

MAX_LOSSES: Final = 20
"""After as many dead workers a slot is closed as failed.

A worker's death is rarely its trial's fault, so that many more are allowed than failed attempts; but a trial that kills
every process it runs in must not keep the study from ending.
"""

LOST: Final = "its worker died or lost the lease of its slot"

_LOOK_SECONDS: Final = 1.0
"""Seconds from one look for dead workers to the next, while there are free slots: it reads all that is claimed."""


class Claiming:
    """The slots of one study as one worker claims them; it reads a stage's plan once."""

    def __init__(self, study: Study, lease_seconds: float) -> None:
        self._study = study
        self._expiry = Now() + lease_seconds
        self._clock_jumps = ClockJumpDetector(lease_seconds)
        self._look_due = -float("inf")
        self._plans: dict[tuple[int, float], tuple[Stage, dict[str, StoredRange]]] = {}
        of_study = (slots.c.study == study.name, slots.c.state == WAITING)
        newest = select(func.max(slots.c.stage)).where(*of_study).scalar_subquery()
        # Where rows can be locked, claimers each go for another one instead of all for the first.
        self._free = (
            select(slots, stages.c.created.label("planned"))
            .join(stages, (stages.c.study == slots.c.study) & (stages.c.stage == slots.c.stage))
            .where(*of_study, slots.c.stage == newest)
            .order_by(slots.c.slot)
            .limit(1)
            .with_for_update(skip_locked=True, of=slots)
        )
        self._locked = locked(study)

    def claim(self, tx: Connection, owner: str, device: str) -> Claim | None:
        """Claim the lowest free slot of the newest stage that has one, those of dead workers among them."""
        looked = time.monotonic() >= self._look_due
        if looked:
            self._free_abandoned(tx)
        free = tx.execute(self._free).first()
        if free is None and not looked and self._free_abandoned(tx):
            free = tx.execute(self._free).first()
        return self._begin(tx, free, owner, device) if free else None

    def stage(self, tx: Connection, number: int, planned: float | None = None) -> tuple[Stage, dict[str, StoredRange]]:
        """Return a stage, of which it is known when it was `planned`, or not, and its ranges; it is read once."""
        if planned is None:
            query = select(stages.c.created).where(stages.c.study == self._study.name, stages.c.stage == number)
            planned = tx.scalars(query).one()
        key = number, planned
        if key not in self._plans:
            read = stage_of(tx, self._study, number)
            self._plans[key] = read, stored_ranges(read.plan.box)
        return self._plans[key]

    def _begin(self, tx: Connection, free: Row[Any], owner: str, device: str) -> Claim:
        """Turn a free slot into a claim, with its running trial."""
        stage, ranges = self.stage(tx, free.stage, free.planned)
        given = _given(stage, self._study.spec.seed, free)
        if tx.scalar(self._locked) is None:
            raise deleted(self._study)
        trial, number = create_trial(tx, self._study.id)
        claim = Claim(
            study=free.study,
            stage=free.stage,
            slot=free.slot,
            token=free.token + 1,
            owner=owner,
            failures=free.failures,
            losses=free.losses,
            trial=trial,
            number=number,
            assignment=given,
        )
        place = {"stage": claim.stage, "slot": claim.slot, "attempt": claim.attempt, "token": claim.token}
        add_attributes(tx, trial, {**place, "worker": owner, "device": device, **origin(given)})
        params = given.params if given else {}
        add_params(tx, trial, params, ranges)
        values = {"state": CLAIMED, "token": claim.token, "owner": owner, "trial_id": trial}
        kept = json.dumps(params) if params else free.params
        this = (slots.c.study == claim.study, slots.c.stage == claim.stage, slots.c.slot == claim.slot)
        tx.execute(update(slots).where(*this).values(**values, params=kept, lease_expires=self._expiry))
        return claim

    def _free_abandoned(self, tx: Connection) -> bool:
        """Free what workers hold that died or fell silent, and return whether there was any."""
        self._look_due = time.monotonic() + _LOOK_SECONDS
        return sum(release(tx, self._study, held) for held in self._abandoned(tx)) > 0

    def _abandoned(self, tx: Connection) -> Iterator[Held]:
        query = select(slots, Now().label("now")).where(slots.c.study == self._study.name, slots.c.state == CLAIMED)
        claimed = tx.execute(query.order_by(slots.c.stage, slots.c.slot)).all()
        doubt = bool(claimed) and self._clock_jumps.in_doubt(claimed[0].now)
        for row in claimed:
            if is_gone(row.owner) or (row.lease_expires < row.now and not doubt):
                yield held_by(row)


def held_by(row: Any) -> Held:
    """Return how a claimed slot is held, of which this is the row."""
    return Held(row.stage, row.slot, row.token, row.lease_expires, row.losses, row.trial_id)


def release(tx: Connection, study: Study, held: Held, reason: str = LOST) -> bool:
    """Free a slot that is held just as it was seen, or close it after too many losses; its trial has failed.

    Returns whether it was still held so.
    """
    losses = held.losses + 1
    after: dict[str, Any] = {"state": WAITING, "trial_id": None}
    if losses >= MAX_LOSSES:
        after = {"state": FAILED, "reason": f"{losses} workers died while running it"}
    as_seen = (
        *(slots.c.study == study.name, slots.c.stage == held.stage, slots.c.slot == held.slot),
        *(slots.c.state == CLAIMED, slots.c.token == held.token, slots.c.lease_expires == held.lease_expires),
    )
    freed = update(slots).where(*as_seen).values(**after, losses=losses, lease_expires=None)
    if tx.execute(freed).rowcount == 0:
        return False
    if held.trial is not None:
        fail(tx, held.trial, reason)
    return True


def _given(stage: Stage, seed: int, free: Row[Any]) -> Assignment | None:
    """Return what a slot's trial is; None where that cannot be made, which `assigned` finds again and says why."""
    try:
        given = stage.assignment(seed, free.slot)
        if free.params is not None:
            given = replace(given, params=json.loads(free.params))
        require_in_box(given)
    except Exception:  # whatever it is, it is a failed attempt at this slot and no death of the worker
        return None
    return given


def require_in_box(given: Assignment) -> None:
    """Raise ValueError for a parameter that its range does not hold."""
    for searched in given.box.ranges:
        if given.params and not searched.holds(given.params[searched.name]):
            raise ValueError(f"the parameter {searched.name} = {given.params[searched.name]} is not in {searched}")
