import json

import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import select, update

from search.storage.tables import slots as table
from search.study import claiming
from search.study.claiming import LOST, MAX_LOSSES
from search.study.claims import NoClaim
from search.study.owner import this_process
from search.study.slots import SlotCounts, Slots
from tests.integration.fake_study import expected
from tests.outcomes import RESULT

HERE = this_process()
THERE = "elsewhere/boot/1:1:1"
DEAD = HERE.rsplit(":", 1)[0] + ":1"


def trial_of(slots, claim):
    return slots.study.storage.rdb.get_trial(claim.trial)


def test_a_claims_trial_has_its_parameters_and_where_it_belongs(study_of):
    slots = Slots(study_of(2, images=700, epochs=8))
    claim = slots.claim(THERE, "a processor")
    trial = trial_of(slots, claim)
    assert (trial.state, trial.number, trial.params) == (TrialState.RUNNING, 0, expected(slots.study.spec)[1, 0][0])
    assert trial.params == claim.assignment.params
    assert trial.distributions["l2"].log
    assert (trial.distributions["l2"].low, trial.distributions["l2"].high) == (1e-6, 10.0)
    assert trial.user_attrs.pop("seeds")["weights"] == claim.assignment.seeds.weights
    place = {"stage": 1, "slot": 0, "attempt": 1, "token": 1, "worker": THERE, "device": "a processor"}
    assert trial.user_attrs == {**place, "images": 700, "epochs": 8, "repeat": 0}


def test_a_slot_keeps_the_parameters_of_its_first_trial_for_every_other(study_of, storage):
    slots = Slots(study_of(1))
    first = slots.claim(HERE)
    with storage.engine.begin() as tx:
        assert json.loads(tx.scalar(select(table.c.params))) == first.assignment.params
        tx.execute(update(table).values(params=json.dumps({"learning_rate": 1e-4, "l2": 1e-3})))
    slots.fail_attempt(first, "no memory")
    assert slots.claim(HERE).assignment.params == {"learning_rate": 1e-4, "l2": 1e-3}


def test_the_trial_of_a_worker_that_died_has_failed_once_another_takes_its_slot(study_of):
    slots = Slots(study_of(1))
    lost = slots.claim(DEAD)
    claim = slots.claim(HERE)
    assert (claim.slot, claim.losses, claim.attempt) == (0, 1, 2)
    assert trial_of(slots, lost).state is TrialState.FAIL
    assert trial_of(slots, lost).user_attrs["reason"] == LOST
    assert trial_of(slots, claim).params == trial_of(slots, lost).params


@pytest.mark.parametrize("owner", [HERE, THERE], ids=["here", "elsewhere"])
def test_the_slot_of_a_process_not_known_to_be_dead_is_left_alone(owner, study_of):
    slots = Slots(study_of(1))
    slots.claim(owner)
    assert slots.claim(HERE) is NoClaim.WAIT


def test_lost_attempts_do_not_count_as_failed_ones(study_of):
    slots = Slots(study_of(1))
    for _ in range(5):
        slots.claim(DEAD)
    claim = slots.claim(HERE)
    assert (claim.failures, claim.losses) == (0, 5)


def test_a_slot_in_which_worker_after_worker_dies_is_closed_as_failed(study_of):
    slots = Slots(study_of(1))
    for _ in range(MAX_LOSSES):
        last = slots.claim(DEAD)
    assert slots.claim(HERE) is NoClaim.DONE
    assert [slot.reason for slot in slots.failed()] == [f"{MAX_LOSSES} workers died while running it"]
    assert trial_of(slots, last).state is TrialState.FAIL


def test_a_slot_that_another_worker_has_taken_from_the_dead_meanwhile_is_left_to_it(study_of, storage):
    slots, other = (Slots(study_of(1)) for _ in range(2))
    slots.claim(DEAD)
    with storage.engine.begin() as tx:
        (held,) = slots._claiming._abandoned(tx)
    assert other.claim(HERE).losses == 1
    slots.release(held, "repaired")
    assert slots.counts(1) == SlotCounts(claimed=1)


def test_the_dead_are_looked_for_now_and_then_while_there_are_free_slots_and_always_without(study_of, monkeypatch):
    monkeypatch.setattr(claiming, "_LOOK_SECONDS", 1e9)
    slots = Slots(study_of(3))
    slots.claim(DEAD)
    assert [slots.claim(HERE).slot for _ in range(3)] == [1, 2, 0]


def test_a_slot_of_an_older_stage_that_was_opened_again_is_claimed_when_the_newest_has_none(study_of, storage):
    slots = Slots(study_of(1, 1))
    for _ in range(2):
        slots.finish(slots.claim(HERE), RESULT)
    with storage.engine.begin() as tx:
        tx.execute(update(table).where(table.c.stage == 1).values(state="waiting", trial_id=None))
    again = slots.claim(HERE)
    assert (again.stage, again.slot, again.number) == (1, 0, 2)


def test_trials_are_numbered_within_their_study_with_those_that_optuna_makes(study_of, storage):
    slots, other = Slots(study_of(2)), storage.rdb.create_new_study([StudyDirection.MINIMIZE], "other")
    slots.claim(HERE)
    storage.rdb.create_new_trial(other)
    assert slots.claim(HERE).number == 1
    storage.rdb.create_new_trial(slots.study.id)
    assert [trial.number for trial in storage.rdb.get_all_trials(slots.study.id)] == [0, 1, 2]
