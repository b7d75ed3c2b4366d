"""Settling what workers left behind that died, or were taken for dead, between two steps of a trial."""

from optuna.trial import TrialState

from search.slots.slots import Slots
from search.study.claims import Claim
from search.study.trials import Trials

MAX_LOSSES = 20
"""After as many dead workers a slot is closed as failed.

A worker's death is rarely its trial's fault, so that many more are allowed than failed attempts; but a trial that kills
every process it runs in must not keep the study from ending.
"""


def mend(slots: Slots, trials: Trials, claim: Claim) -> bool:
    """Settle the lost attempts at a slot just claimed, and return whether the slot still needs a trial.

    A result that counted before its slot was closed closes it now; every other trial of the slot is told FAIL.
    Raises `StaleClaim` if the slot has been taken over in turn.
    """
    if not claim.taken_over:
        return True
    reason = "its worker died or lost the lease of its slot"
    if claim.left_trial is not None and trials.fail(claim.left_trial, reason) is not TrialState.FAIL:
        slots.close(claim)
        return False
    for trial in trials.running():
        # One with a later token is the trial of whoever has taken the slot from us.
        if (trial.stage, trial.slot) == (claim.stage, claim.slot) and trial.token < claim.token:
            trials.fail(trial.id, reason)
    if claim.losses >= MAX_LOSSES:
        slots.fail(claim, f"{claim.losses} workers died while running it")
        return False
    return True


def sweep(slots: Slots, trials: Trials) -> None:
    """Tell FAIL to all running trials of a study whose slots are all closed: nobody waits for them.

    A slot that has been opened again since is left to the trial that is being run in it.
    """
    running = trials.running()
    held = slots.held()  # afterwards: a trial that begins in between is not among those above
    for trial in running:
        if (trial.stage, trial.slot, trial.token) not in held:
            trials.fail(trial.id, "its slot was closed by another trial")
