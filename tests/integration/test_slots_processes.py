import os
import signal

import pytest
from optuna.trial import TrialState
from sqlalchemy import update

from search.storage.tables import slots
from search.study.slots import SlotCounts, Slots
from search.study.stages import list_stages
from tests.integration import fake_study as fake
from tests.integration.exactness import assert_exact
from tests.integration.hurrying import hurry

STEPS = [
    "after search.study.slots:Slots.claim",
    "before search.study.claiming:create_trial",
    "after search.study.claiming:add_params",
    "before search.study.slots:Slots.finish",
    "after search.study.trials:end_trial",
    "after search.study.trials:finish",
    "after search.study.slots:Slots.finish",
]


def test_eight_workers_in_a_hurry_finish_every_slot_exactly_once_and_none_is_told_of_a_lock(study_of, processes, tell):
    study = study_of(60, 40)
    tell(f"{study.storage.engine.dialect.name}: {hurry(processes, study)}")
    trials = study.storage.rdb.get_all_trials(study.id)
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert len({trial.user_attrs["worker"] for trial in trials}) == 8


@pytest.mark.parametrize("call", [2, 5])  # of a sampled trial, and of a finalist's
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_between_or_within_the_steps_of_a_trial_is_repaired_by_the_next_worker(step, call, study_of, start):
    study = study_of(3, finalists=fake.finalist_budget(2, 2, 100, 1))
    dying = start(fake.work_and_die, study.storage.url, step, call)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    fake.work_to_the_end(study.storage.url)
    assert_exact(study)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("after search.study.slots:Slots.claim", "after search.study.claiming:fail"),
        ("after search.study.slots:Slots.claim", "after search.study.claiming:release"),
        ("after search.study.slots:Slots.claim", "after search.study.claiming:create_trial"),
        ("before search.study.slots:Slots.finish", "after search.study.slots:Slots.claim"),
    ],
)
def test_a_crash_while_a_crash_is_repaired_is_repaired(first, second, study_of, start):
    study = study_of(2)
    for step in (first, second):
        dying = start(fake.work_and_die, study.storage.url, step, 1)
        dying.join()
        assert dying.exitcode == -signal.SIGKILL
    fake.work_to_the_end(study.storage.url)
    assert_exact(study)


@pytest.mark.parametrize(
    "step",
    ["before search.study.slots:open_next", "after search.study.stages:_insert", "after search.study.slots:open_next"],
)
def test_a_crash_around_or_within_the_opening_of_a_stage_opens_it_once_and_alike(step, study_of, start):
    study = study_of(4, 2)
    dying = start(fake.work_and_die, study.storage.url, step, 2)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert len(list_stages(study)) == (2 if step == "after search.study.slots:open_next" else 1)
    fake.work_to_the_end(study.storage.url)
    assert [stage.number for stage in list_stages(study)] == [1, 2]
    assert_exact(study)


def test_four_workers_at_the_border_open_the_next_stage_once(study_of, start, processes):
    study = study_of(4, 5)
    dying = start(fake.work_and_die, study.storage.url, "before search.study.slots:open_next", 2)
    dying.join()
    barrier = processes.Barrier(4)
    workers = [start(fake.open_next_at_once, study.storage.url, barrier, 1) for _ in range(4)]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert [stage.number for stage in list_stages(study)] == [1, 2]
    assert Slots(study).counts(2) == SlotCounts(waiting=5)


def test_six_processes_create_one_storage_and_one_study_at_once(tmp_path, start, processes):
    url, spec = f"sqlite:///{tmp_path}/new/study.db", fake.spec_of(3)
    barrier = processes.Barrier(6)
    creators = [start(fake.create_at_once, url, barrier, spec) for _ in range(6)]
    for creator in creators:
        creator.join()
    assert [creator.exitcode for creator in creators] == [0] * 6
    assert fake.reopen(url).spec == spec


def test_a_worker_stopped_for_longer_than_its_lease_has_its_late_result_refused(study_of, start, processes):
    study = study_of(2)
    entered, leave, refused = (processes.Event() for _ in range(3))
    stopped = start(fake.hang_in_a_trial, study.storage.url, entered, leave, refused)
    entered.wait()
    os.kill(stopped.pid, signal.SIGSTOP)  # at once, not while it renews: stopped in a transaction, SQLite has all wait
    with study.storage.engine.begin() as tx:
        tx.execute(update(slots).values(lease_expires=0))
    fake.work_to_the_end(study.storage.url)
    assert_exact(study)
    os.kill(stopped.pid, signal.SIGCONT)
    leave.set()
    stopped.join()
    assert stopped.exitcode == 0
    assert refused.is_set()
    assert_exact(study)
