"""The slots of a study: claimed with a lease, renewed, and closed, each in one compare-and-set.

Every claim of a slot raises its token. Whatever is written in the name of a claim is written only where the slot still
carries the claim's token, so of all the processes that believe they hold a slot one is right, and the others find out.

Where the connection is lost with a transaction, nobody knows whether it came through. Then the same is written again:
what a claim has already written in its own name it may write once more, and a slot that it took stays its own.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection, Row

from search.errors import StaleClaim
from search.slots.steadiness import Steadiness
from search.storage.patience import outlasting
from search.storage.tables import CLAIMED, FAILED, FINISHED, WAITING, Now, slots, stages
from search.study.claims import Claim, Held, NoClaim
from search.study.owner import is_gone
from search.study.stages import open_next
from search.study.study import Study, require_undeleted
from search.study.workers import see

LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """How many slots of a stage are in each state."""

    waiting: int = 0
    claimed: int = 0
    finished: int = 0
    failed: int = 0

    @property
    def open(self) -> int:
        """How many are not closed yet."""
        return self.waiting + self.claimed

    @property
    def closed(self) -> int:
        """How many are closed, with a finished trial or without."""
        return self.finished + self.failed


@dataclass(frozen=True, slots=True)
class StageTally:
    """How many slots a stage has, and how many are in each state."""

    slots: int
    counts: SlotCounts


@dataclass(frozen=True, slots=True)
class FailedSlot:
    """A slot that was closed without a finished trial, and why."""

    stage: int
    slot: int
    reason: str


class Slots:
    """The slots of one study."""

    def __init__(self, study: Study, lease_seconds: float = LEASE_SECONDS) -> None:
        self.study = study
        self.lease_seconds = lease_seconds
        self._engine = study.storage.engine
        self._steadiness = Steadiness(lease_seconds)
        self._taking: Claim | None = None  # in a transaction whose end has not been heard of

    @outlasting
    def claim(self, owner: str) -> Claim | NoClaim:
        """Claim a slot for `owner`: first one whose owner died or fell silent, else the lowest free one.

        Opens the next stage when the last one's slots are all closed. Raises `SearchError` where the study is deleted.
        """
        while True:
            with self._engine.begin() as tx:
                require_undeleted(tx, self.study)
                see(tx, self.study.name, owner)
                stage = tx.scalar(select(func.max(stages.c.stage)).where(stages.c.study == self.study.name)) or 0
                seen = self._next(tx, stage)
                self._taking = self._taken(tx) or (seen and self._take(tx, seen, owner))
                closed = not self._any_open(tx, stage)
            taken, self._taking = self._taking, None
            if taken is not None:
                return taken
            if closed and stage == len(self.study.spec.stage_sizes):
                return NoClaim.DONE
            if closed:
                open_next(self.study, stage)
            elif seen is None:
                return NoClaim.WAIT

    def take_over(self, held: Held, owner: str) -> Claim | None:
        """Claim a slot that is still held just as it was seen; None where it has been renewed or has changed hands."""
        with self._engine.begin() as tx:
            require_undeleted(tx, self.study)
            as_seen = (*self._in(held.stage, CLAIMED), slots.c.slot == held.slot, slots.c.token == held.token)
            seen = tx.execute(select(slots).where(*as_seen, slots.c.lease_expires == held.lease_expires)).first()
            return self._take(tx, seen, owner) if seen else None

    def renew(self, claim: Claim) -> None:
        """Start the lease of a claim anew; raise `StaleClaim` if the slot has been taken over."""
        self._write(claim, CLAIMED, lease_expires=self._expiry())

    def attach(self, claim: Claim, trial_id: int) -> None:
        """Record which trial runs for a claim; raise `StaleClaim` if the slot has been taken over."""
        self._write(claim, CLAIMED, trial_id=trial_id)

    def close(self, claim: Claim) -> None:
        """Close a slot whose trial's result counts; raise `StaleClaim` if another is just doing the same."""
        self._write(claim, FINISHED, lease_expires=None)

    def give_back(self, claim: Claim) -> None:
        """Let another worker have the slot, as if it had never been claimed; raise `StaleClaim` if one has it."""
        self._write(claim, WAITING, lease_expires=None, trial_id=None)

    def fail_attempt(self, claim: Claim, reason: str) -> None:
        """Count a failed attempt, and close the slot as failed, with the reason, if it was the last one allowed."""
        failures = claim.failures + 1
        if failures >= self.study.spec.max_attempts:
            self.fail(claim, f"{failures} attempts failed, the last one with {reason}")
        else:
            self._write(claim, WAITING, failures=failures, reason=reason, lease_expires=None, trial_id=None)

    def fail(self, claim: Claim, reason: str) -> None:
        """Close the slot as failed; raise `StaleClaim` if it has been taken over."""
        self._write(claim, FAILED, reason=reason, lease_expires=None)

    @outlasting
    def tally(self) -> tuple[StageTally, ...]:
        """Return how many slots of each stage opened so far are in each state, in two statements however many."""
        sizes = select(stages.c.stage, stages.c.slots).where(stages.c.study == self.study.name)
        states = select(slots.c.stage, slots.c.state, func.count()).where(slots.c.study == self.study.name)
        with self._engine.begin() as tx:
            opened = tx.execute(sizes.order_by(stages.c.stage)).all()
            found = tx.execute(states.group_by(slots.c.stage, slots.c.state)).all()
        return tuple(
            StageTally(size, SlotCounts(**{state: count for of, state, count in found if of == stage}))
            for stage, size in opened
        )

    @outlasting
    def counts(self, stage: int) -> SlotCounts:
        """Return how many slots of a stage are in each state."""
        of_stage = (slots.c.study == self.study.name, slots.c.stage == stage)
        with self._engine.begin() as tx:
            rows = tx.execute(select(slots.c.state, func.count()).where(*of_stage).group_by(slots.c.state))
            return SlotCounts(**{row[0]: row[1] for row in rows})

    @outlasting
    def held(self) -> frozenset[tuple[int, int, int]]:
        """Return stage, slot and token of each slot that somebody holds."""
        claimed = (slots.c.study == self.study.name, slots.c.state == CLAIMED)
        with self._engine.begin() as tx:
            rows = tx.execute(select(slots.c.stage, slots.c.slot, slots.c.token).where(*claimed)).all()
        return frozenset((row.stage, row.slot, row.token) for row in rows)

    @outlasting
    def failed(self) -> tuple[FailedSlot, ...]:
        """Return the slots that were closed without a finished trial."""
        query = select(slots).where(slots.c.study == self.study.name, slots.c.state == FAILED)
        with self._engine.begin() as tx:
            rows = tx.execute(query.order_by(slots.c.stage, slots.c.slot)).all()
        return tuple(FailedSlot(row.stage, row.slot, row.reason) for row in rows)

    def _next(self, tx: Connection, newest: int) -> Row[Any] | None:
        """Return the slot to claim: of the newest stage, or of an older one of which a slot has been opened again."""
        for stage in range(newest, 0, -1):
            if seen := self._abandoned(tx, stage) or self._first_waiting(tx, stage):
                return seen
        return None

    def _abandoned(self, tx: Connection, stage: int) -> Row[Any] | None:
        now = Now().label("now")
        claimed = tx.execute(select(slots, now).where(*self._in(stage, CLAIMED)).order_by(slots.c.slot)).all()
        doubt = bool(claimed) and self._steadiness.in_doubt(claimed[0].now)
        return next((row for row in claimed if is_gone(row.owner) or (row.lease_expires < row.now and not doubt)), None)

    def _first_waiting(self, tx: Connection, stage: int) -> Row[Any] | None:
        query = select(slots).where(*self._in(stage, WAITING)).order_by(slots.c.slot).limit(1)
        # Where rows can be locked, claimers each go for another one instead of all for the first.
        return tx.execute(query.with_for_update(skip_locked=True)).first()

    def _any_open(self, tx: Connection, newest: int) -> bool:
        # In one statement, since PostgreSQL lets a slot change from waiting to claimed between two.
        any_stage = (slots.c.stage.in_(range(1, newest + 1)), slots.c.state.in_((WAITING, CLAIMED)))
        query = select(slots.c.slot).where(slots.c.study == self.study.name, *any_stage).limit(1)
        return tx.execute(query).first() is not None

    def _in(self, stage: int, state: str) -> tuple[Any, ...]:
        return (slots.c.study == self.study.name, slots.c.stage == stage, slots.c.state == state)

    def _take(self, tx: Connection, seen: Row[Any], owner: str) -> Claim | None:
        """Turn a slot as it was seen into a claim, or return None if it is not as it was seen any more."""
        taken_over = seen.state == CLAIMED
        claim = Claim(
            study=seen.study,
            stage=seen.stage,
            slot=seen.slot,
            token=seen.token + 1,
            owner=owner,
            failures=seen.failures,
            losses=seen.losses + taken_over,
            taken_over=taken_over,
            left_trial=seen.trial_id,
        )
        unchanged = (
            *(slots.c[key] == getattr(seen, key) for key in ("study", "stage", "slot", "state", "token")),
            slots.c.lease_expires.is_not_distinct_from(seen.lease_expires),
        )
        values = {"state": CLAIMED, "token": claim.token, "owner": owner, "losses": claim.losses}
        taken = update(slots).where(*unchanged).values(**values, lease_expires=self._expiry())
        return claim if tx.execute(taken).rowcount == 1 else None

    def _expiry(self) -> Any:
        return Now() + self.lease_seconds

    def _taken(self, tx: Connection) -> Claim | None:
        """Return the claim that was being made when the connection was lost, if it came through after all."""
        return self._taking if self._taking and _update(tx, self._taking, CLAIMED) else None

    @outlasting
    def _write(self, claim: Claim, state: str, **values: Any) -> None:
        with self._engine.begin() as tx:
            require_undeleted(tx, self.study)
            see(tx, claim.study, claim.owner)
            held = _update(tx, claim, state, **values)
        if not held:
            raise StaleClaim(f"slot {claim.slot} of stage {claim.stage} has been taken over from {claim.owner}")


def _update(tx: Connection, claim: Claim, state: str, **values: Any) -> bool:
    """Write to the slot of a claim, unless somebody else has it; return whether it was done."""
    key = (slots.c.study == claim.study, slots.c.stage == claim.stage, slots.c.slot == claim.slot)
    # The owner as well as the token: where a claim did not come through, somebody else's has the same token.
    still = (slots.c.token == claim.token, slots.c.owner == claim.owner, slots.c.state.in_((CLAIMED, state)))
    return tx.execute(update(slots).where(*key, *still).values(state=state, **values)).rowcount == 1
