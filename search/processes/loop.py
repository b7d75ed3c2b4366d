"""The loop of a worker: claim a slot, run its trial, make the result count, close the slot, until the study is done."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from search.dashboard.board import Board
from search.errors import StaleClaim, TrialStopped
from search.processes.course import Course
from search.processes.files import keeping
from search.slots.lease import Lease, renewing
from search.slots.mending import mend, sweep
from search.slots.slots import Slots
from search.storage.artifacts import ArtifactFolder
from search.storage.failures import storage_errors
from search.study.assignment import Assignment
from search.study.claims import Claim, NoClaim
from search.study.owner import this_process
from search.study.stages import assigned
from search.study.trial import Diverged, Ending, Measure, Outcome, RunTrial, Trial
from search.study.trials import Trials, require_own_names
from search.study.workers import present

_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
"""Seconds from one look for a free slot to the next, the first time and at most: each takes the storage for itself."""

_log = logging.getLogger(__name__)


def work(
    slots: Slots, run_trial: RunTrial, stop: Event, device: str = "", artifacts: ArtifactFolder | None = None
) -> None:
    """Run trials until the study is done or `stop` is set; raise `SearchFailure` if the storage fails.

    `run_trial` ends with what its trial came to, or with `TrialStopped`, after which the slot is given back; any other
    exception is a failed attempt. A measure that is not finite makes the trial a diverged one.
    """
    owner = this_process()
    worker = _Worker(slots, Trials(slots.study, device), run_trial, stop, artifacts)
    board = Board(slots.study)
    slots.study.storage.patience.stop, pause = stop, _PAUSE
    with storage_errors(slots.study.storage), present(slots.study, owner, device):
        while not stop.is_set():
            claim = slots.claim(owner)
            if claim is NoClaim.DONE:
                sweep(slots, worker.trials)
                board.update(last=True)
                return
            if isinstance(claim, Claim):
                worker.serve(claim)
                board.update()
                pause = _PAUSE
            else:
                stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class _Worker:
    slots: Slots
    trials: Trials
    run_trial: RunTrial
    stop: Event
    artifacts: ArtifactFolder | None

    def serve(self, claim: Claim) -> None:
        """Bring a claimed slot as far as it goes in one attempt."""
        try:
            if mend(self.slots, self.trials, claim):
                self._attempt(claim)
        except StaleClaim as error:
            _log.warning("this attempt no longer counts: %s", error)

    def _attempt(self, claim: Claim) -> None:
        """Run one trial; every step is one transaction, and `mend` knows what a crash between any two leaves."""
        try:
            assignment = assigned(self.slots.study, claim)
            trial_id = self.trials.create(claim, assignment)
        except (SQLAlchemyError, StorageInternalError):
            raise
        except Exception as error:  # a sampler's, or of what it drew: as much a failure as one of the training
            self.slots.fail_attempt(claim, _reason(claim, error))
            return
        with self._accounting_for(claim, trial_id):
            self.slots.attach(claim, trial_id)
            rule = assignment.pruning.rule if assignment.pruning else None
            course = Course(self.slots.study, claim, trial_id, rule)
            with renewing(self.slots, claim) as lease, keeping(self.artifacts) as keep:
                trial = self._trial(claim, course, assignment, lease, keep.folder)
                began = time.perf_counter()
                ending = _checked(self.run_trial(trial), trial)
                seconds = time.perf_counter() - began
                keep.attach(self.slots.study.storage, trial_id, ending)
            self.trials.commit(trial_id, ending, seconds)
            self.slots.close(claim)

    def _trial(self, claim: Claim, course: Course, assignment: Assignment, lease: Lease, folder: Path | None) -> Trial:
        return Trial(
            number=self.trials.number(course.trial_id),
            stage=claim.stage,
            slot=claim.slot,
            attempt=claim.attempt,
            params=assignment.params,
            seeds=assignment.seeds,
            budget=assignment.budget,
            report=course.report,
            should_stop=lambda: self.stop.is_set() or lease.lost,
            should_prune=course.why_pruned,
            options=assignment.options,
            folder=folder,
        )

    @contextmanager
    def _accounting_for(self, claim: Claim, trial_id: int) -> Iterator[None]:
        """End the trial, and free or close its slot, where the block ends with an exception."""
        try:
            yield
        except (SQLAlchemyError, StorageInternalError):
            raise  # nothing can be told to a storage that fails; the next claimer mends
        except StaleClaim as error:
            self.trials.fail(trial_id, str(error))
            raise
        except TrialStopped:
            self._end(claim, trial_id, "given back: its worker was stopped")
        except Exception as error:
            self._end(claim, trial_id, _reason(claim, error), self.slots.fail_attempt)
        except BaseException:
            self._end(claim, trial_id, "given back: its worker was interrupted")
            raise

    def _end(self, claim: Claim, trial_id: int, reason: str, free: Callable[[Claim, str], None] | None = None) -> None:
        """Tell a trial FAIL and free its slot, or give it back; close it where the trial's result counts already."""
        if self.trials.fail(trial_id, reason) is not TrialState.FAIL:
            self.slots.close(claim)
        elif free:
            free(claim, reason)
        else:
            self.slots.give_back(claim)


def _reason(claim: Claim, error: Exception) -> str:
    """Return why an attempt failed, and log it."""
    reason = f"{type(error).__name__}: {error}"
    _log.warning("attempt %d at slot %d failed: %s", claim.attempt, claim.slot, reason, exc_info=error)
    return reason


def _checked(ending: Ending, trial: Trial) -> Ending:
    """Return an ending that can be stored; raises ValueError for a measure whose name is taken."""
    if not isinstance(ending, Outcome):
        return ending
    require_own_names(ending.measures, trial.budget)
    measures = {"score": ending.score, **ending.measures}
    if lost := [f"{name} = {found}" for name, found in measures.items() if not _is_finite(found)]:
        return Diverged(f"a measure is not finite: {', '.join(lost)}", ending.files)
    return ending


def _is_finite(measure: Measure) -> bool:
    return all(map(math.isfinite, measure if isinstance(measure, tuple) else (measure,)))
