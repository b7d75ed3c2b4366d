import re
from pathlib import Path

import pytest
from optuna.trial import TrialState, create_trial
from sqlalchemy import delete, update

from search.storage.tables import slots as table
from search.study import findings
from search.study.findings import find
from search.study.owner import this_process
from search.study.slots import Slots
from tests.integration.fake_study import run_trial
from tests.search.tiny import work_off

HERE = this_process()
DEAD = HERE.rsplit(":", 1)[0] + ":1"
ELSEWHERE = "elsewhere/boot/1:7:1"


def kinds(slots):
    return [finding.kind for finding in find(slots)]


def test_nothing_is_wrong_with_a_study_before_within_and_after_its_trials(slots):
    assert find(slots) == ()

    def look(task):
        assert find(slots) == ()
        return run_trial(task)

    work_off(slots.study, look)
    assert find(slots) == ()
    assert slots.counts(2).finished == 2


def test_a_slot_whose_worker_is_dead_is_found_once_with_its_trial(slots):
    trial = slots.claim(DEAD).trial
    (found,) = find(slots)
    assert (found.kind, found.stage, found.slot, found.trial) == ("abandoned slot", 1, 0, trial)
    assert found.text.startswith("stage 1, slot 0 is held by process ")
    assert str(found).endswith(", which is dead: it is set free for the next worker")


def test_a_worker_of_another_machine_is_given_up_only_when_its_lease_has_run_out(slots):
    slots.claim(ELSEWHERE)
    assert find(slots) == ()
    Slots(slots.study, lease_seconds=-5).claim("elsewhere/boot/1:8:1")
    (found,) = find(slots)
    assert found.kind == "abandoned slot"
    silent = re.search(r"process 8 of elsewhere, which has been silent for (\d+) seconds", found.text)
    assert 65 <= int(silent[1]) < 120


def test_a_lease_that_ends_later_than_any_can_shows_that_the_clock_was_set_back(slots):
    Slots(slots.study, lease_seconds=4000).claim(ELSEWHERE)
    (found,) = find(slots)
    assert found.kind == "abandoned slot"
    assert "so the clock must have been set back" in found.text


def test_a_running_trial_of_somebody_else_is_left_alone(slots):
    slots.study.storage.rdb.create_new_trial(slots.study.id)
    assert find(slots) == ()


@pytest.mark.parametrize("state", [None, TrialState.FAIL])
def test_a_closed_slot_without_a_trial_that_ended_well_is_found(slots, state):
    work_off(slots.study)
    rdb = slots.study.storage.rdb
    other = None if state is None else rdb.create_new_trial(slots.study.id, create_trial(state=state))
    at = (table.c.stage == 1, table.c.slot == 1)
    with slots.study.storage.engine.begin() as tx:
        tx.execute(update(table).where(*at).values(trial_id=other))
    lone, without = find(slots)
    assert lone.text == f"stage 1, slot 1 is closed, but has {'no trial' if state is None else 'a trial that is FAIL'}"
    assert (without.kind, without.repairable) == ("trial without a slot", False)


def test_a_slot_that_is_not_there_is_found(slots):
    work_off(slots.study)
    with slots.study.storage.engine.begin() as tx:
        tx.execute(delete(table).where(table.c.stage == 2, table.c.slot == 0))
    assert kinds(slots) == ["missing slot", "trial without a slot"]


def test_a_file_is_looked_through_without_waiting_for_who_writes_to_it(slots):
    with slots.study.storage.engine.begin():
        assert tuple(findings._damage(slots.study.storage)) == ()


def test_a_damaged_file_is_found_and_nothing_else_is_looked_for(slots):
    storage = slots.study.storage
    if storage.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL looks after its files itself")
    work_off(slots.study)
    storage.engine.dispose()
    with Path(storage.engine.url.database).open("r+b") as file:
        file.seek(-4096, 2)
        file.write(b"\xff" * 4096)
    (found,) = find(slots)
    assert (found.kind, found.repairable) == ("damaged file", False)
