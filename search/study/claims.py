"""What a worker holds of a slot, or why it holds none."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one slot's trial for as long as the slot still carries `token`.

    `failures` of the slot's attempts ended with an error, and `losses` with the death of their worker. `taken_over`
    says that the last of them was lost just now, and `left_trial` is its trial, if it got as far as having one.
    """

    study: str
    stage: int
    slot: int
    token: int
    owner: str
    failures: int
    losses: int
    taken_over: bool
    left_trial: int | None

    @property
    def attempt(self) -> int:
        """The number of this attempt at the slot, from 1; attempts that were given back do not count."""
        return self.failures + self.losses + 1


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed slot as somebody else saw it: by the claim with this token, until its lease expires."""

    stage: int
    slot: int
    token: int
    lease_expires: float


class NoClaim(Enum):
    """Why there is nothing to claim: others run the last slots of the stage, or the whole study is done."""

    WAIT = "wait"
    DONE = "done"
