import signal

import pytest

from search.run import deaths
from search.run.deaths import STANDSTILL_SECONDS, Deaths, FailedAttempts, cause_of, kills_for_memory
from search.run.progress import study_progress
from search.study.slots import Slots
from tests.clock import Clock

FULL = "agesearch: the storage cannot be used: database or disk is full"


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(deaths, "time", Clock())
    return deaths.time


@pytest.mark.parametrize(
    ("code", "kills", "cause"),
    [
        (1, 0, "exit code 1"),
        (-signal.SIGSEGV, 1, "signal 11, SIGSEGV"),
        (-signal.SIGKILL, 0, "signal 9, SIGKILL: likely by the system, for lack of memory"),
        (-signal.SIGKILL, 1, "signal 9, SIGKILL: by the system, which ran out of memory"),
        (-50, 0, "signal 50"),
    ],
)
def test_a_cause_names_the_signal_and_what_it_likely_means(code, kills, cause):
    assert cause_of(code, kills) == cause


@pytest.mark.parametrize(("text", "kills"), [("pgfault 7\noom_kill 3\nnuma 1\n", 3), ("pgfault 7\n", 0), (None, 0)])
def test_kills_for_lack_of_memory_are_those_that_the_system_counts(text, kills, tmp_path, monkeypatch):
    monkeypatch.setattr(deaths, "VMSTAT", tmp_path / "vmstat")
    if text is not None:
        deaths.VMSTAT.write_text(text)
    assert kills_for_memory() == kills


def test_a_full_disk_is_said_once_until_a_trial_ends(caplog):
    found = Deaths()
    found.watch(0)
    for second in range(3):
        found.tell("worker 1", "exit code 1", f"2026-12-01 05:00:0{second},123 {FULL}")
    assert caplog.messages == [f"worker 1 died (exit code 1: {FULL}) and is started again"]
    found.watch(1)
    found.tell("worker 1", "exit code 1", FULL)
    assert len(caplog.messages) == 2


def test_a_search_that_stands_still_says_why_and_then_ever_more_rarely(clock, caplog):
    found = Deaths()
    found.watch(4)
    clock.now += STANDSTILL_SECONDS - 1
    found.watch(4)
    assert not caplog.messages
    clock.now += 1
    found.watch(4)
    assert caplog.messages[0].startswith(
        "no trial has ended for 10 min: no worker has died; a trial takes long or hangs"
    )
    for _ in range(3):
        found.tell("worker 1", "exit code 1", FULL)
    clock.now += STANDSTILL_SECONDS - 1
    found.watch(4)
    assert len(caplog.messages) == 2
    clock.now += 1
    found.watch(4)
    remark = f"no trial has ended for 20 min: workers died 3 times meanwhile, the last of exit code 1: {FULL}"
    assert caplog.messages[2:] == [remark]
    found.watch(5)
    clock.now += STANDSTILL_SECONDS - 1
    found.watch(5)
    assert len(caplog.messages) == 3


def test_an_attempt_that_fails_is_reported_once_with_its_reason_and_what_becomes_of_its_slot(study_of, caplog):
    study = study_of(2, max_attempts=2)
    slots = Slots(study)
    attempts = FailedAttempts(study, study_progress(slots).failures)
    for reason, after in (("ValueError: first", "run again"), ("OSError: second", "closed as failed")):
        caplog.clear()
        slots.fail_attempt(slots.claim("one"), reason)
        for _ in range(2):
            attempts.watch(study_progress(slots).failures)
        (said,) = caplog.messages
        assert "stage 1, slot 0" in said
        assert after in said
        assert reason in said


def test_attempts_that_failed_before_are_not_reported_again(study_of, caplog):
    study = study_of(2)
    slots = Slots(study)
    slots.fail_attempt(slots.claim("one"), "ValueError: before")
    attempts = FailedAttempts(study, study_progress(slots).failures)
    slots.fail_attempt(slots.claim("one"), "ValueError: now")
    attempts.watch(study_progress(slots).failures)
    assert ["now" in message and "before" not in message for message in caplog.messages] == [True]
