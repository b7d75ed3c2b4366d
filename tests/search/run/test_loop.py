import errno
import math
from contextlib import suppress
from dataclasses import replace
from threading import Event

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import NoResultFound

from search.errors import SearchError, SearchFailure, TrialStopped, UnfitWorker
from search.run.loop import Workplace, work
from search.study.plans import Sampled
from search.study.slots import SlotCounts, Slots
from search.study.trial import Diverged, Outcome
from search.study.workers import list_workers
from tests.integration.exactness import assert_exact
from tests.integration.fake_study import expected, finished, run_trial, running
from tests.outcomes import outcome_of

NO_CURVE = outcome_of(1, 1, 1, 1, (9.0, math.nan))


def states(study):
    return [trial.state for trial in study.storage.rdb.get_all_trials(study.id)]


def test_a_worker_runs_every_slot_of_every_stage_once(study_of, no_stop):
    study = study_of(5, 3)
    work(Slots(study), run_trial, no_stop, Workplace("cpu:0"))
    assert finished(study) == sorted(expected(study.spec).items())
    assert [(view.state, view.device) for view in list_workers(study)] == [("stopped", "cpu:0")]


def test_working_on_a_finished_study_adds_nothing(study_of, no_stop):
    study = study_of(2)
    for _ in range(2):
        work(Slots(study), run_trial, no_stop)
    assert len(states(study)) == 2


def test_values_on_the_way_are_stored(study_of, no_stop):
    def report(trial):
        for epoch in (1, 2):
            trial.report(epoch, 30.0 / epoch)
        return run_trial(trial)

    study = study_of(1)
    work(Slots(study), report, no_stop)
    assert study.storage.rdb.get_all_trials(study.id)[0].intermediate_values == {1: 30.0, 2: 15.0}


def test_a_trial_that_raises_is_tried_again_with_the_same_parameters_and_seeds(study_of, no_stop, caplog):
    tasks = []

    def fail_once(trial):
        tasks.append(trial)
        if len(tasks) == 1:
            raise OSError("out of memory")
        return run_trial(trial)

    study = study_of(1)
    work(Slots(study), fail_once, no_stop)
    assert [trial.attempt for trial in tasks] == [1, 2]
    assert (tasks[0].params, tasks[0].seeds) == (tasks[1].params, tasks[1].seeds)
    assert states(study) == [TrialState.FAIL, TrialState.COMPLETE]
    assert study.storage.rdb.get_all_trials(study.id)[0].user_attrs["reason"] == "OSError: out of memory"
    assert "attempt 1 at slot 0 failed: OSError: out of memory" in caplog.text


def test_after_three_failed_attempts_the_slot_is_closed_as_failed_and_the_search_goes_on(study_of, no_stop):
    def fail_at_zero(trial):
        if trial.slot == 0:
            raise OSError("out of memory")
        return run_trial(trial)

    study = study_of(2)
    slots = Slots(study)
    work(slots, fail_at_zero, no_stop)
    assert slots.counts(1) == SlotCounts(finished=1, failed=1)
    assert [(slot.slot, slot.reason) for slot in slots.failed()] == [
        (0, "3 attempts failed, the last one with OSError: out of memory")
    ]


@pytest.fixture
def sampling(monkeypatch):
    """Let what is drawn for slot 0 pass through a function."""

    def passing(change):
        drawn = Sampled.assignment

        def draw(plan, seed, stage, slot, *seen):
            given = drawn(plan, seed, stage, slot, *seen)
            return change(given) if slot == 0 else given

        monkeypatch.setattr(Sampled, "assignment", draw)

    return passing


def singular(_given):
    raise ValueError("the covariance matrix is singular")


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_sampler_that_fails_is_a_failed_attempt_of_its_slot_alone(sampler, study_of, no_stop, sampling, caplog):
    sampling(lambda given: singular(given) if sampler == "random" or given.params else given)
    study = study_of(2, sampler=sampler)
    work(Slots(study), run_trial, no_stop)
    assert sorted(states(study)) == [TrialState.COMPLETE, *[TrialState.FAIL] * 3]
    assert [(slot.slot, slot.reason) for slot in Slots(study).failed()] == [
        (0, "3 attempts failed, the last one with ValueError: the covariance matrix is singular")
    ]
    assert "attempt 3 at slot 0 failed: ValueError" in caplog.text


def test_parameters_outside_of_their_range_are_a_failed_attempt_and_no_death_of_the_worker(study_of, no_stop, sampling):
    sampling(lambda given: replace(given, params={**given.params, "l2": 1e9}))
    study = study_of(2)
    work(Slots(study), run_trial, no_stop)
    assert Slots(study).counts(1) == SlotCounts(finished=1, failed=1)
    assert "ValueError: the parameter l2 = 1000000000.0 is not in l2 [1e-06, 10]" in Slots(study).failed()[0].reason


@pytest.mark.parametrize("error", [StorageInternalError("locked"), NoResultFound("no stage")])
def test_a_storage_that_fails_while_sampling_is_no_failed_attempt(error, study_of, no_stop, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr(Slots, "assigned", fail)
    study = study_of(1)
    with pytest.raises(SearchFailure, match="cannot be used"):
        work(Slots(study), run_trial, no_stop)
    assert Slots(study).counts(1) == SlotCounts(waiting=1)
    assert Slots(study).claim("elsewhere/boot/1:1:1").attempt == 1


def test_a_machine_without_room_ends_the_worker_and_is_not_charged_to_the_slot(study_of, no_stop):
    def fill(_trial):
        raise OSError(errno.ENOSPC, "No space left on device")

    study = study_of(1)
    with pytest.raises(SearchFailure, match=r"cannot go on with trials: .*No space left"):
        work(Slots(study), fill, no_stop)
    assert Slots(study).claim("elsewhere/boot/1:1:1").attempt == 1
    assert states(study) == [TrialState.FAIL, TrialState.RUNNING]


def test_what_is_to_be_done_after_each_trial_is_done_and_hears_of_the_end(study_of, no_stop):
    seen = []
    work(Slots(study_of(2)), run_trial, no_stop, Workplace(refresh=lambda *, last: seen.append(last)))
    assert seen == [False, False, True]


@pytest.mark.parametrize(
    "outcome",
    [Diverged("the loss is nan"), outcome_of(math.nan, 1, 1, 1), outcome_of(1, 1, 1, math.inf), NO_CURVE],
)
def test_a_diverged_trial_finishes_its_slot(outcome, study_of, no_stop):
    study = study_of(1)
    work(Slots(study), lambda _trial: outcome, no_stop)
    assert states(study) == [TrialState.PRUNED]
    assert Slots(study).counts(1) == SlotCounts(finished=1)


def test_a_measure_that_is_not_finite_is_named(study_of, no_stop):
    study = study_of(1)
    work(Slots(study), lambda _trial: outcome_of(1, math.inf, 1, 1), no_stop)
    (trial,) = study.storage.rdb.get_all_trials(study.id)
    assert trial.user_attrs["reason"] == "a measure is not finite: validation_mae = inf"


@pytest.mark.parametrize("name", ["stage", "seconds", "epochs"])
def test_a_measure_by_the_name_of_something_else_is_a_failed_attempt(name, study_of, no_stop):
    study = study_of(1, max_attempts=1)
    work(Slots(study), lambda _trial: Outcome(1.0, {name: 1.0}), no_stop)
    assert f"the measure {name!r} has a name that is taken" in Slots(study).failed()[0].reason


def test_a_trial_knows_its_number_and_what_it_is_given(study_of, no_stop):
    given = []
    study = study_of(2, images=10, epochs=3)
    work(Slots(study), lambda trial: given.append(trial) or run_trial(trial), no_stop)
    assert [(trial.number, trial.stage, trial.slot, trial.attempt) for trial in given] == [(0, 1, 0, 1), (1, 1, 1, 1)]
    assert given[0].budget == {"images": 10, "epochs": 3}
    assert (given[0].options, given[0].prunes) == ({}, False)


def test_a_stopped_worker_gives_its_slot_back_uncounted(study_of, no_stop):
    stop, attempts = Event(), []

    def stop_in_the_second(trial):
        if trial.slot == 1:
            stop.set()
        if trial.should_stop():
            raise TrialStopped
        return run_trial(trial)

    def count(trial):
        attempts.append(trial.attempt)
        return run_trial(trial)

    study = study_of(3)
    work(Slots(study), stop_in_the_second, stop)
    assert Slots(study).counts(1) == SlotCounts(finished=1, waiting=2)
    assert running(study) == []
    work(Slots(study), count, no_stop)
    assert attempts == [1, 1]


def test_a_result_that_is_there_when_the_worker_stops_is_kept(study_of):
    stop = Event()

    def stop_and_finish(trial):
        stop.set()
        return run_trial(trial)

    study = study_of(2)
    work(Slots(study), stop_and_finish, stop)
    assert Slots(study).counts(1) == SlotCounts(finished=1, waiting=1)


def test_an_interrupted_worker_gives_its_slot_back_and_ends(study_of, no_stop):
    def interrupt(_trial):
        raise KeyboardInterrupt

    study = study_of(1)
    with pytest.raises(KeyboardInterrupt):
        work(Slots(study), interrupt, no_stop)
    assert Slots(study).counts(1) == SlotCounts(waiting=1)
    assert running(study) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_a_worker_that_is_interrupted_once_its_result_counts_leaves_it(error, study_of, no_stop, monkeypatch):
    study, finish = study_of(2), Slots.finish

    def interrupted(*claim_and_result):
        monkeypatch.setattr(Slots, "finish", finish)
        finish(*claim_and_result)
        raise error

    monkeypatch.setattr(Slots, "finish", interrupted)
    with suppress(KeyboardInterrupt):
        work(Slots(study), run_trial, no_stop)
    work(Slots(study), run_trial, no_stop)
    assert_exact(study)
    assert len(study.storage.rdb.get_all_trials(study.id)) == 2


def test_a_worker_whose_study_is_deleted_meanwhile_ends_and_leaves_the_next_one_alone(study_of, no_stop, storage):
    old, others = study_of(1), []

    def delete_it(trial):
        optuna.delete_study(study_name=old.name, storage=storage.rdb)
        new = study_of(1)
        others.append(new)
        Slots(new).claim("elsewhere/boot/1:1:1")
        return run_trial(trial)

    with pytest.raises(SearchError, match="the study 'ages' has been deleted from"):
        work(Slots(old), delete_it, no_stop)
    assert states(others[0]) == [TrialState.RUNNING]
    assert Slots(others[0]).counts(1) == SlotCounts(claimed=1)


class Clock(Event):
    """A stop that notes how long it is waited for, instead of that, and comes after six times."""

    def __init__(self):
        super().__init__()
        self.pauses = []

    def wait(self, timeout):
        self.pauses.append(timeout)
        if len(self.pauses) == 6:
            self.set()


def test_the_longer_a_worker_waits_for_a_slot_the_rarer_it_looks_for_one(study_of):
    study, stop = study_of(2), Clock()
    Slots(study).claim("elsewhere/boot/1:1:1")
    work(Slots(study), run_trial, stop)
    assert stop.pauses == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]


def test_a_storage_that_fails_ends_the_worker_with_one_sentence(study_of, no_stop):
    def lose_the_table(trial):
        with study.storage.engine.begin() as tx:
            tx.exec_driver_sql("drop table trial_values")
        return run_trial(trial)

    study = study_of(1)
    with pytest.raises(SearchFailure, match=r"the storage (sqlite|postgresql).* cannot be used: .*trial_values"):
        work(Slots(study), lose_the_table, no_stop)


def test_a_worker_that_is_unfit_for_its_study_ends_and_no_attempt_is_counted(study_of, no_stop):
    study = study_of(1, max_attempts=1)

    def refuse(_trial):
        raise UnfitWorker("train.py has changed")

    with pytest.raises(UnfitWorker, match=r"train\.py"):
        work(Slots(study), refuse, no_stop)
    work(Slots(study), run_trial, no_stop)
    assert finished(study) == sorted(expected(study.spec).items())
