"""Faults of what a study is stored on: a full disk, a lock that is held too long, and a clock that jumps."""

import sqlite3
import subprocess
from contextlib import closing, contextmanager, suppress
from ctypes import c_double
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from threading import Event

import pytest

from search.errors import SearchFailure, StaleClaim
from search.run.loop import work
from search.storage import engines
from search.study import claiming
from search.study.claims import Claim
from search.study.findings import find
from search.study.repair import repair
from search.study.slots import SlotCounts, Slots
from tests.integration import fake_study as fake
from tests.integration.exactness import assert_exact, damage_of

ELSEWHERE, OTHER = "elsewhere/boot/1:7:1", "other/boot/1:8:1"


@contextmanager
def small_disk(folder):
    """Mount a file system of two megabytes; skips the test where we may not."""
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path):
    """Write until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass


def test_a_full_disk_ends_the_worker_with_a_sentence_and_loses_no_slot(tmp_path):
    with small_disk(tmp_path):
        study, ballast = fake.new_study(tmp_path, fake.spec_of(3, 2)), tmp_path / "ballast"

        def fill_in_the_second(task):
            if task.slot == 1:
                fill(ballast)
            return fake.run_trial(task)

        with pytest.raises(SearchFailure, match="cannot be used: database or disk is full"):
            work(Slots(study, lease_seconds=1), fill_in_the_second, Event())
        assert damage_of(study.storage) == ""
        assert Slots(study).counts(1).finished == 1
        ballast.unlink()
        fake.work_to_the_end(study.storage.url)
        assert_exact(study)
        study.storage.engine.dispose()


def test_a_database_locked_for_longer_than_anybody_waits_ends_the_worker_and_loses_no_slot(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "_LOCK_SECONDS", 0.2)
    study = fake.new_study(tmp_path, fake.spec_of(3, 2))
    with closing(sqlite3.connect(Path(study.storage.engine.url.database), isolation_level=None)) as somebody:

        def lock_in_the_second(task):
            if task.slot == 1:
                somebody.execute("BEGIN EXCLUSIVE")
            return fake.run_trial(task)

        with pytest.raises(SearchFailure, match="cannot be used: database is locked"):
            work(Slots(study, lease_seconds=1), lock_in_the_second, Event())
        somebody.execute("ROLLBACK")
    assert Slots(study).counts(1) == SlotCounts(waiting=1, claimed=1, finished=1)
    fake.work_to_the_end(study.storage.url)
    assert_exact(study)
    study.storage.engine.dispose()


@pytest.fixture
def clock():
    return RawValue(c_double, 0)


@pytest.fixture
def slots(tmp_path, clock, monkeypatch):
    """The slots of a study in SQLite, whose clock is off by what `clock` says; each claim looks for the dead."""
    monkeypatch.setattr(claiming, "_LOOK_SECONDS", 0.0)
    study = fake.new_study(tmp_path, fake.spec_of(2))
    fake.move_clock(study.storage.engine, clock)
    yield Slots(study)
    study.storage.engine.dispose()


def test_a_clock_set_forward_lets_a_slot_be_taken_over_and_its_late_result_be_refused(slots, clock):
    first = slots.claim(ELSEWHERE)
    clock.value += 4000
    second = slots.claim(OTHER)
    assert isinstance(second, Claim)
    assert (second.slot, second.token, second.losses) == (first.slot, first.token + 1, 1)
    with pytest.raises(StaleClaim):
        slots.renew(first)
    slots.renew(second)


def test_a_clock_set_back_takes_no_slot_from_a_worker_that_renews_its_lease(slots, clock):
    first = slots.claim(ELSEWHERE)
    clock.value -= 4000
    slots.renew(first)
    assert find(slots) == ()
    clock.value += 61
    assert slots.claim(OTHER).slot == first.slot


def test_a_slot_held_far_into_the_future_since_the_clock_was_set_back_can_be_repaired(slots, clock):
    slots.claim(ELSEWHERE)
    clock.value -= 4000
    assert slots.claim(OTHER).slot == 1
    repair(slots, find(slots))
    assert slots.claim(OTHER).slot == 0


def test_a_clock_that_jumps_within_every_trial_changes_no_result(tmp_path, clock):
    study = fake.new_study(tmp_path, fake.spec_of(4, 3))
    fake.move_clock(study.storage.engine, clock)

    def jump(task):
        clock.value += (-1) ** task.slot * 4000
        return fake.run_trial(task)

    work(Slots(study), jump, Event())
    assert_exact(study)
    study.storage.engine.dispose()
