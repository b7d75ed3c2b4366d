import math

import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from search.errors import StaleClaim
from search.run import course
from search.run.course import Course
from search.run.loop import Workplace, work
from search.study.slots import Slots
from tests.clock import Clock
from tests.integration.fake_study import run_trial


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(course, "time", Clock())
    return course.time


class Recorded:
    """Slots that keep what they are to store, or raise an error."""

    study = None

    def __init__(self):
        self.stored, self.error = [], None

    def report(self, _claim, values):
        if self.error:
            raise self.error
        self.stored.append(dict(values))


@pytest.fixture
def slots():
    return Recorded()


def test_values_gather_for_two_seconds_and_what_is_left_waits_for_the_result(slots, clock):
    one = Course(slots, None)
    for step in range(1, 6):
        one.report(step, 10.0 / step)
        clock.now += 0.8
    assert slots.stored == [{1: 10.0, 2: 5.0, 3: 10.0 / 3, 4: 2.5}]
    assert one.waiting == {5: 2.0}


def test_the_first_value_of_a_step_stands(slots, caplog):
    one = Course(slots, None)
    one.report(1, 9.0)
    one.report(1, 8.0)
    assert one.waiting == {1: 9.0}
    assert "step 1 was reported twice" in caplog.text


def test_values_that_a_storage_does_not_take_wait_for_the_next_time(slots, clock, caplog):
    one, slots.error = Course(slots, None), StorageInternalError("locked")
    for step in (1, 2):
        clock.now += 3
        one.report(step, 1.0)
    assert "values on the way could not be stored yet: locked" in caplog.text
    slots.error = None
    clock.now += 3
    one.report(3, 1.0)
    assert (slots.stored, one.waiting) == ([{1: 1.0, 2: 1.0, 3: 1.0}], {})


def test_a_trial_whose_slot_was_taken_over_finds_out_by_its_values(slots, clock):
    one, slots.error = Course(slots, None), StaleClaim("taken over")
    clock.now += 3
    with pytest.raises(StaleClaim):
        one.report(1, 1.0)


def test_where_others_are_compared_with_it_a_value_is_stored_before_they_are_read(slots, clock, monkeypatch):
    def judge(_study, _claim, rule, values):
        return f"{rule} of {values} after {slots.stored}"

    monkeypatch.setattr(course, "why_pruned", judge)
    one = Course(slots, None, "median")
    assert one.why_pruned() == ""
    one.report(1, 7.0)
    assert one.why_pruned() == "median of {1: 7.0} after [{1: 7.0}]"
    assert Course(slots, None).why_pruned() == ""
    assert clock.now == 100.0


def test_a_trial_has_its_values_and_its_device(study_of, no_stop):
    def run_with_values(trial):
        for epoch, value in ((1, 30.0), (2, math.inf), (3, 15.0)):
            trial.report(epoch, value)
        return run_trial(trial)

    study = study_of(1)
    work(Slots(study), run_with_values, no_stop, Workplace("a processor"))
    (trial,) = study.storage.rdb.get_all_trials(study.id)
    assert trial.intermediate_values == {1: 30.0, 2: math.inf, 3: 15.0}
    assert (trial.state, trial.user_attrs["device"], trial.system_attrs) == (TrialState.COMPLETE, "a processor", {})


def test_a_failed_attempt_keeps_the_values_it_reported(study_of, no_stop):
    def fail(trial):
        trial.report(1, 30.0)
        raise OSError("no memory")

    study = study_of(1, max_attempts=1)
    work(Slots(study), fail, no_stop)
    assert study.storage.rdb.get_all_trials(study.id)[0].intermediate_values == {1: 30.0}
