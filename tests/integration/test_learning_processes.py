"""Samplers that learn, with real processes: exact whatever they learn; one worker's search follows from its seed."""

import signal

import pytest
from optuna.trial import TrialState

from search.dashboard.serving import Pages
from search.study.slots import SlotCounts, Slots
from tests.integration import fake_study as fake
from tests.integration.exactness import damage_of, trials_of_slots
from tests.integration.fake_study import finalist_budget
from tests.search.dashboard.test_serving import trials_of

FINALISTS = finalist_budget(2, 2, images=100, epochs=1)
DATABASES = ("sqlite", "postgresql")


def on_both(kind, *others):
    """Run a test with one of its kind on both databases; on SQLite alone with others, which see the same trials."""
    places = [*((kind, each) for each in DATABASES), *((other, "sqlite") for other in others)]
    return pytest.mark.parametrize(("kind", "storage_url"), places, indirect=["storage_url"])


def assert_whole(study, *sizes):
    """Every slot has one finished trial, and nothing is left over; returns these trials."""
    found = study.storage.rdb.get_all_trials(study.id)
    done = [trial for trial in found if trial.state is TrialState.COMPLETE]
    places = [(trial.user_attrs["stage"], trial.user_attrs["slot"]) for trial in done]
    assert sorted(places) == [(stage, slot) for stage, size in enumerate(sizes, start=1) for slot in range(size)]
    assert {trial.state for trial in found} <= {TrialState.COMPLETE, TrialState.FAIL}
    assert [Slots(study).counts(stage + 1) for stage in range(len(sizes))] == [SlotCounts(finished=n) for n in sizes]
    assert all(place == own for place, own in trials_of_slots(study).items())
    assert damage_of(study.storage) == ""
    return done


@on_both("tpe", "sobol", "cmaes", "gp")
def test_two_workers_end_exact_and_every_trial_is_on_the_dashboard(kind, study_of, start, processes):
    if kind == "gp":
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[gp]'")
    study = study_of(7, 5, sampler=kind, finalists=FINALISTS)
    both_at_work = processes.Barrier(2)
    workers = [start(fake.work_slowly, study.storage.url, both_at_work) for _ in range(2)]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    done = assert_whole(study, 7, 5, 4)
    assert len({trial.user_attrs["worker"] for trial in done}) == 2
    shown = trials_of(Pages(study.storage.url, None), study)
    assert [(each["number"], each["state"]) for each in shown] == [(trial.number, "Complete") for trial in done]
    params = [{one["name"]: float(one["param_external_value"]) for one in each["params"]} for each in shown]
    assert params == [trial.params for trial in done]


@on_both("tpe", "cmaes")
def test_one_worker_that_is_killed_and_replaced_runs_the_search_that_its_seed_decides(kind, study_of, start):
    study = study_of(8, 8, sampler=kind)
    for step, call in (
        ("after search.study.claiming:create_trial", 5),
        ("after search.study.slots:add_params", 3),
        ("after search.study.stages:_insert", 1),
        ("before search.study.slots:Slots.finish", 2),
        ("after search.study.slots:Slots.claim", 3),
    ):
        dying = start(fake.work_and_die, study.storage.url, step, call)
        dying.join()
        assert dying.exitcode == -signal.SIGKILL
    fake.work_to_the_end(study.storage.url)
    assert_whole(study, 8, 8)
    assert fake.finished(study) == sorted(fake.expected_of_one(study.spec).items())


def test_a_search_that_learns_ends_exact_where_one_of_its_two_workers_is_killed(study_of, start, processes):
    study = study_of(7, 5, sampler="tpe", finalists=FINALISTS)
    left_alone = processes.Event()
    other = start(fake.work_slowly, study.storage.url, left_alone)
    dying = start(fake.work_and_die, study.storage.url, "before search.study.slots:Slots.finish", 4)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    left_alone.set()
    other.join()
    assert other.exitcode == 0
    assert_whole(study, 7, 5, 4)


@on_both("median", "halving")
def test_pruning_ends_exact_where_one_of_two_workers_is_killed(kind, study_of, start, processes):
    study = study_of(12, 6, pruning=kind, epochs=3, finalists=FINALISTS)
    left_alone = processes.Event()
    other = start(fake.work_slowly, study.storage.url, left_alone, fake.run_with_errors)
    dying = start(fake.work_and_die, study.storage.url, "after search.study.slots:Slots.report", 5)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    left_alone.set()
    other.join()
    assert other.exitcode == 0
    assert [Slots(study).counts(stage) for stage in (1, 2, 3)] == [SlotCounts(finished=n) for n in (12, 6, 4)]
    found = study.storage.rdb.get_all_trials(study.id)
    done = [trial for trial in found if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(done) == 22
    assert fake.running(study) == []
    pruned = [trial.number for trial in done if trial.state is TrialState.PRUNED]
    assert pruned
    shown = trials_of(Pages(study.storage.url, None), study)
    assert [each["number"] for each in shown if each["state"] == "Pruned"] == pruned
