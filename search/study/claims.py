"""What a worker holds of a slot, or why it holds none."""

from dataclasses import dataclass
from enum import Enum

from search.study.assignment import Assignment


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one slot's trial for as long as the slot still carries `token`.

    `failures` of the slot's attempts ended with an error, and `losses` with the death of their worker. `trial` is the
    id of the running trial that was made with the claim, and `number` what Optuna calls it. `assignment` is what that
    trial is; it has no parameters yet where a sampler has to learn first, and is None where it could not be made.
    """

    study: str
    stage: int
    slot: int
    token: int
    owner: str
    failures: int
    losses: int
    trial: int
    number: int
    assignment: Assignment | None = None

    @property
    def attempt(self) -> int:
        """The number of this attempt at the slot, from 1; attempts that were given back do not count."""
        return self.failures + self.losses + 1


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed slot as another process saw it: by the claim with this token, until its lease expires."""

    stage: int
    slot: int
    token: int
    lease_expires: float
    losses: int
    trial: int | None


class NoClaim(Enum):
    """Why there is nothing to claim: others run the last slots of the stage, or the whole study is done."""

    WAIT = "wait"
    DONE = "done"
