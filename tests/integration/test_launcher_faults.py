"""Faults of launchers and of the workers they start, which are programs of their own here."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from search.run.launcher import Launcher, Place
from search.run.progress import study_progress
from search.storage.database import create_storage, quieten_optuna
from search.study.owner import is_gone
from search.study.slots import FailedSlot, SlotCounts, Slots
from search.study.study import create_or_resume
from search.study.workers import list_workers
from tests.integration import fake_study as fake
from tests.integration import fake_worker
from tests.integration.exactness import assert_exact
from tests.waiting import until

SPEC = fake.spec_of(6, 4)


@pytest.fixture(autouse=True)
def our_packages(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def launch(url: str, folder: Path, barrier=None, slow: str = "0") -> None:
    """Create or resume the study and see it through with two workers, as the command does."""
    quieten_optuna()
    os.environ["FAKE_SLOW"] = slow
    if barrier:
        barrier.wait()
    study = create_or_resume(create_storage(url), fake.NAME, SPEC)
    launcher = Launcher(study, {}, folder, [Place(), Place()], fake_worker.PROGRAM)
    launcher.start()
    try:
        until(lambda: not tended(launcher, study), "the end of the study")
    finally:
        launcher.stop()


def tended(launcher, study):
    return launcher.replace_dead(study_progress(Slots(study)).closed)


def test_two_launchers_at_once_on_a_fresh_storage_finish_one_study_exactly(tmp_path, start, processes):
    url, barrier = f"sqlite:///{tmp_path}/new/study.db", processes.Barrier(2)
    launchers = [start(launch, url, tmp_path / str(number), barrier) for number in range(2)]
    for launcher in launchers:
        launcher.join()
    assert [launcher.exitcode for launcher in launchers] == [0, 0]
    study = fake.reopen(url)
    assert_exact(study)
    assert len({worker.worker for worker in list_workers(study)}) == 4


def test_a_launcher_killed_alone_and_then_with_all_its_workers_loses_nothing(tmp_path, start):
    url = f"sqlite:///{tmp_path}/study.db"
    study = create_or_resume(create_storage(url), fake.NAME, SPEC)

    launcher = start(launch, url, tmp_path / "logs", None, "600")
    left = until(lambda: two_at_work(study), "two workers in a trial")
    launcher.kill()
    until(lambda: all(is_gone(owner) for owner in left), "the end of the workers without their launcher")
    assert Slots(study).counts(1) == SlotCounts(waiting=6)

    launcher = start(launch, url, tmp_path / "logs", None, "600")
    left = until(lambda: two_at_work(study), "two workers in a trial")
    for process in (*psutil.Process(launcher.pid).children(), launcher):
        process.kill()
    until(lambda: all(is_gone(owner) for owner in left), "the end of everything")
    assert Slots(study).counts(1) == SlotCounts(waiting=4, claimed=2)

    launcher = start(launch, url, tmp_path / "logs")
    launcher.join()
    assert launcher.exitcode == 0
    assert_exact(study)


def test_a_worker_that_somebody_terminates_gives_its_trial_back_and_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SLOW", "600")
    study = create_or_resume(create_storage(f"sqlite:///{tmp_path}/study.db"), fake.NAME, SPEC)
    launcher = Launcher(study, {}, tmp_path / "logs", [Place()], fake_worker.PROGRAM)
    launcher.start()
    try:
        (first,) = until(lambda: at_work(study), "a worker in a trial")
        os.kill(first.pid, signal.SIGTERM)
        (second,) = until(lambda: tended(launcher, study) and at_work(study) != [first] and at_work(study), "another")
    finally:
        launcher.stop()
    assert second.worker != first.worker
    assert second.runs == first.runs == (1, 0)


def at_work(study):
    """The workers that hold a slot, but for how long they have been silent."""
    found = [worker for worker in list_workers(study) if worker.runs and worker.state == "running"]
    return [replace(worker, silent_for=0.0) for worker in found]


def two_at_work(study):
    """The workers that hold a slot, if there are two."""
    owners = [worker.worker for worker in at_work(study)]
    return owners if len(owners) == 2 and len(fake.running(study)) >= 2 else None


def test_a_slot_that_kills_every_worker_is_closed_as_failed_and_the_search_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_DEADLY", "1,1")
    monkeypatch.setenv("FAKE_LOSSES", "5")
    study = create_or_resume(create_storage(f"sqlite:///{tmp_path}/study.db"), fake.NAME, fake.spec_of(2, 1))
    launcher = Launcher(study, {}, tmp_path / "logs", [Place()], fake_worker.PROGRAM)
    launcher.start()
    try:
        until(lambda: not tended(launcher, study), "the end of the study")
    finally:
        launcher.stop()
    slots = Slots(study)
    assert slots.failed() == (FailedSlot(1, 1, "5 workers died while running it"),)
    assert (slots.counts(1), slots.counts(2)) == (SlotCounts(finished=1, failed=1), SlotCounts(finished=1))
    assert fake.running(study) == []
