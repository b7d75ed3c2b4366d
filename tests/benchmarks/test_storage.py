"""The storage's benchmark in its smallest form: that it runs, and what holds on any machine."""

from statistics import median

import pytest
import storage

from tests.postgres import programs


def test_a_trial_of_one_worker_costs_a_quarter_of_optunas_own(tell):
    rates = storage.one(None, trials=40, rounds=3)
    times = {
        place: median(ours / theirs for ours, theirs in zip(found["now"], found["optuna"], strict=True))
        for place, found in rates.items()
    }
    tell(f"one worker runs this many times the trials of Optuna's own optimize: {times}")
    assert min(times.values()) > 4


def test_workers_with_short_trials_hardly_wait_for_each_other(tmp_path, tell):
    found = storage.many(f"sqlite:///{tmp_path}/study.db", [8], seconds=4)[8]
    tell(f"8 workers, half a second a trial: {found}")
    assert found["trials a second"] > 0.75 * found["possible"]


def test_a_trial_costs_as_much_in_a_large_study_as_in_a_small_one(tell):
    found = storage.growth([10, 2000], trials=30, rounds=3)
    tell(f"by finished trials: {found}")
    assert found[2000]["ms a trial"] < 1.5 * found[10]["ms a trial"]


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
def test_workers_on_postgresql_hardly_wait_for_each_other(tell):
    found = storage.on_postgresql([8], seconds=4)[8]
    tell(f"8 workers on PostgreSQL, half a second a trial: {found}")
    assert found["trials a second"] > 0.75 * found["possible"]
