"""The loop of a worker: claim a slot, run its trial, close the slot with what it came to, until the study is done."""

import errno
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from search.errors import SearchError, SearchFailure, StaleClaim, TrialStopped, UnfitWorker
from search.run.course import Course
from search.run.files import own_folder, stored_files
from search.storage.artifacts import ArtifactFolder
from search.storage.failures import storage_errors
from search.study.assignment import Assignment
from search.study.claims import Claim, NoClaim
from search.study.lease import Lease, renewing
from search.study.owner import this_process
from search.study.slots import Slots
from search.study.trial import Diverged, Ending, Measure, Outcome, RunTrial, Trial
from search.study.trials import Result, require_own_names
from search.study.workers import present

_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
"""Seconds from one look for a free slot to the next, the first time and at most: each takes the storage for itself."""

_STORAGES = (SQLAlchemyError, StorageInternalError)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENFILE, errno.EMFILE})
"""What the system says where the machine has no room, or a disk fails: no trial is to blame for that."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a worker has: the device's name, a folder for its trials' files, and what is to be done after each trial.

    `refresh(last)` gets whether the study is done.
    """

    device: str = ""
    artifacts: ArtifactFolder | None = None
    refresh: Callable[..., None] = lambda *, last: None  # noqa: ARG005


def work(slots: Slots, run_trial: RunTrial, stop: Event, place: Workplace = Workplace()) -> None:
    """Run trials until the study is done or `stop` is set; raise `SearchFailure` if the storage or the machine fails.

    `run_trial` ends with what its trial came to, or with `TrialStopped`, after which the slot is given back; any other
    exception is a failed attempt, unless it says that the machine has no room. A measure that is not finite makes the
    trial a diverged one.
    """
    owner = this_process()
    worker = _Worker(slots, run_trial, stop, place)
    slots.study.storage.reconnection.stop, pause = stop, _PAUSE
    with storage_errors(slots.study.storage), present(slots.study, owner, place.device):
        while not stop.is_set():
            claim = slots.claim(owner, place.device)
            if claim is NoClaim.DONE:
                place.refresh(last=True)
                return
            if isinstance(claim, Claim):
                worker.serve(claim)
                place.refresh(last=False)
                pause = _PAUSE
            else:
                stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class _Worker:
    slots: Slots
    run_trial: RunTrial
    stop: Event
    place: Workplace

    def serve(self, claim: Claim) -> None:
        """Bring a claimed slot as far as it goes in one attempt."""
        course = Course(self.slots, claim)
        try:
            with self._settling(claim, course):
                self.slots.finish(claim, self._result(claim, course))
        except StaleClaim as error:
            _log.warning("this attempt no longer counts: %s", error)

    def _result(self, claim: Claim, course: Course) -> Result:
        assignment = self.slots.assigned(claim)
        course.rule = assignment.pruning
        with renewing(self.slots, claim) as lease, own_folder(self.place.artifacts) as folder:
            trial = self._trial(claim, course, assignment, lease, folder)
            began = time.perf_counter()
            ending = _checked(self.run_trial(trial), trial)
            seconds = time.perf_counter() - began
            return Result(ending, seconds, course.waiting, stored_files(ending, folder, self.place.artifacts))

    def _trial(self, claim: Claim, course: Course, assignment: Assignment, lease: Lease, folder: Path | None) -> Trial:
        return Trial(
            number=claim.number,
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
            prunes=assignment.pruning is not None,
        )

    @contextmanager
    def _settling(self, claim: Claim, course: Course) -> Iterator[None]:
        """Free or close the slot, and end its trial, where the block ends with an exception.

        What is no fault of the trial's is not charged to its slot: a storage that fails, a full disk, a stop.
        """
        try:
            yield
        except _STORAGES:
            with suppress(*_STORAGES, SearchError):  # if it can be stored at all; else the slot is taken over
                self.slots.give_back(claim, "given back: the storage failed")
            raise
        except UnfitWorker as error:
            self.slots.give_back(claim, f"given back: {error}", course.waiting)
            raise
        except StaleClaim:
            raise  # the worker that took the slot has ended the trial
        except TrialStopped:
            self.slots.give_back(claim, "given back: its worker was stopped", course.waiting)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if isinstance(error, OSError) and error.errno in _FULL:
                self.slots.give_back(claim, f"given back: {reason}", course.waiting)
                raise SearchFailure(f"the machine cannot go on with trials: {error}") from error
            _log.warning("attempt %d at slot %d failed: %s", claim.attempt, claim.slot, reason, exc_info=error)
            self.slots.fail_attempt(claim, reason, course.waiting)
        except BaseException:
            with suppress(StaleClaim):  # the result may have come through before
                self.slots.give_back(claim, "given back: its worker was interrupted", course.waiting)
            raise


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
