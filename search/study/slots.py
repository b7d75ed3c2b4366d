"""The slots of a study: claimed with a lease, renewed, and closed or freed together with their trials.

Every claim of a slot raises its token. Whatever is written in the name of a claim is written only where the slot still
carries the claim's token, so of all the processes that believe they hold a slot one is right, and the others find out.
A slot changes its state and its trial's in one transaction: a claimed slot has a running trial, a finished one a trial
that ended well, and any other none that runs.

Where the connection is lost with a transaction, nobody knows whether it came through. Then the same is tried again, and
finds either the slot as it was or what it has written itself.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import Connection

from search.errors import StaleClaim
from search.storage.engines import unlocked
from search.storage.optuna_rows import add_params, add_reports
from search.storage.retry import retry_interrupted
from search.storage.tables import CLAIMED, FAILED, FINISHED, WAITING, Now, slots, stages
from search.study import counts as counting
from search.study import trials
from search.study.assignment import Assignment
from search.study.claiming import Claiming, release, require_in_box
from search.study.claims import Claim, Held, NoClaim
from search.study.counts import FailedSlot, SlotCounts, StageTally
from search.study.finished import seen_trials
from search.study.stages import open_next
from search.study.study import Study, alive, require_undeleted
from search.study.trials import NO_REPORTS, Result
from search.study.workers import Presence

__all__ = ["LEASE_SECONDS", "FailedSlot", "SlotCounts", "Slots", "StageTally"]

LEASE_SECONDS = 60.0


class Slots:
    """The slots of one study."""

    def __init__(self, study: Study, lease_seconds: float = LEASE_SECONDS) -> None:
        self.study = study
        self.lease_seconds = lease_seconds
        self._engine = study.storage.engine
        self._claiming = Claiming(study, lease_seconds)
        self._presence = Presence(study.name)
        self._making: Claim | None = None  # in a transaction whose end has not been heard of
        self._expiry = Now() + lease_seconds
        # The owner as well as the token: where a claim did not come through, another's has the same token.
        last = (
            *(slots.c.study == study.name, slots.c.stage == bindparam("of"), slots.c.slot == bindparam("at")),
            *(slots.c.token == bindparam("by"), slots.c.owner == bindparam("who")),
        )
        self._its = (*last, slots.c.state == CLAIMED, slots.c.trial_id == bindparam("ran"))
        self._held = update(slots).where(*self._its, alive(study))
        self._left = select(slots.c.state).where(*last)
        either = slots.c.state.in_((WAITING, CLAIMED))
        self._open = select(slots.c.slot).where(slots.c.study == study.name, either).limit(1)

    @retry_interrupted
    def claim(self, owner: str, device: str = "") -> Claim | NoClaim:
        """Claim the lowest free slot for `owner`, who runs its trial on `device`; those of the dead become free.

        Opens the next stage when the last one's slots are all closed. Raises `SearchError` where the study is deleted.
        """
        while True:
            with self._engine.begin() as tx:
                self._presence.note(tx, owner)
                claim = self._making = self._made(tx) or self._claiming.claim(tx, owner, device)
                closed = None if claim else self._closed(tx)
            self._making = None
            if claim is not None:
                return claim
            if closed is None:
                return NoClaim.WAIT
            if closed == len(self.study.spec.stage_sizes):
                return NoClaim.DONE
            open_next(self.study, closed)

    @retry_interrupted
    def assigned(self, claim: Claim) -> Assignment:
        """Return what a claim's trial is; a sampler that learns is asked now, and its answer stored.

        Raises what keeps it from being made, and `StaleClaim` if the slot has been taken over.
        """
        if claim.assignment is not None and claim.assignment.params:
            return claim.assignment
        with unlocked(self._engine) as tx:  # it may be much that is read, and it takes a sampler long to learn
            stage, ranges = self._claiming.stage(tx, claim.stage)
            if kept := tx.scalar(select(slots.c.params).where(*self._its), _key(claim)):
                return replace(stage.assignment(self.study.spec.seed, claim.slot), params=json.loads(kept))
            seen = seen_trials(tx, self.study, claim.stage, claim.slot) if stage.learns else []
        given = stage.given(self.study.spec.seed, claim.slot, seen)
        require_in_box(given)
        with self._engine.begin() as tx:
            self._change(tx, claim, state=CLAIMED, params=json.dumps(given.params))
            add_params(tx, claim.trial, given.params, ranges)
        return given

    @retry_interrupted
    def renew(self, claim: Claim) -> None:
        """Start the lease of a claim anew; raise `StaleClaim` if the slot has been taken over."""
        with self._engine.begin() as tx:
            self._presence.note(tx, claim.owner)
            self._change(tx, claim, state=CLAIMED, lease_expires=self._expiry)

    @retry_interrupted
    def report(self, claim: Claim, reports: Mapping[int, float]) -> None:
        """Store values on a trial's way; raise `StaleClaim` if the slot has been taken over."""
        with self._engine.begin() as tx:
            self._change(tx, claim, state=CLAIMED, lease_expires=self._expiry)
            add_reports(tx, claim.trial, reports)

    @retry_interrupted
    def finish(self, claim: Claim, result: Result) -> None:
        """Make a result count, and close the slot; raise `StaleClaim` if it has been taken over.

        Raises RuntimeError where another program has ended the trial.
        """
        with self._engine.begin() as tx:
            if self._change(tx, claim, state=FINISHED) and not trials.finish(tx, claim.trial, result):
                raise RuntimeError(f"trial {claim.number} has been ended by another program")

    @retry_interrupted
    def give_back(self, claim: Claim, reason: str, reports: Mapping[int, float] = NO_REPORTS) -> None:
        """Let another worker have the slot, as if it had never been claimed; raise `StaleClaim` if one has it."""
        with self._engine.begin() as tx:
            if self._change(tx, claim, state=WAITING, trial_id=None):
                trials.fail(tx, claim.trial, reason, reports)

    @retry_interrupted
    def fail_attempt(self, claim: Claim, reason: str, reports: Mapping[int, float] = NO_REPORTS) -> None:
        """Count a failed attempt, and close the slot as failed, with the reason, if it was the last one allowed.

        Raises `StaleClaim` if the slot has been taken over.
        """
        failures = claim.failures + 1
        after = {"state": WAITING, "reason": reason, "failures": failures, "trial_id": None}
        if failures >= self.study.spec.max_attempts:
            why = f"{failures} attempts failed, the last one with {reason}"
            after = {"state": FAILED, "reason": why, "failures": failures}
        with self._engine.begin() as tx:
            if self._change(tx, claim, **after):
                trials.fail(tx, claim.trial, reason, reports)

    @retry_interrupted
    def release(self, held: Held, reason: str) -> None:
        """Free a slot that nobody can be expected to come back to, if it is still held as it was seen."""
        with self._engine.begin() as tx:
            require_undeleted(tx, self.study)
            release(tx, self.study, held, reason)

    def tally(self) -> tuple[StageTally, ...]:
        """Return how many slots of each stage opened so far are in each state."""
        return counting.tally(self.study)

    def counts(self, stage: int) -> SlotCounts:
        """Return how many slots of a stage are in each state."""
        opened = self.tally()
        return opened[stage - 1].counts if stage <= len(opened) else SlotCounts()

    def failed(self) -> tuple[FailedSlot, ...]:
        """Return the slots that were closed without a finished trial."""
        return counting.failed(self.study)

    def _made(self, tx: Connection) -> Claim | None:
        """Return the claim that was being made when the connection was lost, if it came through after all."""
        made = self._making
        return made if made and tx.execute(self._held.values(state=CLAIMED), _key(made)).rowcount else None

    def _closed(self, tx: Connection) -> int | None:
        """Return how many stages have been opened, if all their slots are closed."""
        require_undeleted(tx, self.study)
        # First how many: PostgreSQL lets another worker open a stage between two statements, and its slots are open.
        opened = tx.scalar(select(func.max(stages.c.stage)).where(stages.c.study == self.study.name)) or 0
        return opened if tx.execute(self._open).first() is None else None

    def _change(self, tx: Connection, claim: Claim, **after: Any) -> bool:
        """Change the slot of a claim, or return False where that came through before; else raise `StaleClaim`."""
        ended = {} if after["state"] == CLAIMED else {"lease_expires": None}
        if tx.execute(self._held.values(**after, **ended), _key(claim)).rowcount == 1:
            return True
        require_undeleted(tx, self.study)
        if after["state"] != CLAIMED and tx.scalar(self._left, _key(claim)) == after["state"]:
            return False
        raise StaleClaim(f"slot {claim.slot} of stage {claim.stage} has been taken over from {claim.owner}")


def _key(claim: Claim) -> dict[str, Any]:
    return {"of": claim.stage, "at": claim.slot, "by": claim.token, "who": claim.owner, "ran": claim.trial}
