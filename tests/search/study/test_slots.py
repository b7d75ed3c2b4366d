import math

import pytest
from optuna.trial import TrialState
from sqlalchemy.event import listen

from search.errors import StaleClaim
from search.study.claims import NoClaim
from search.study.owner import this_process
from search.study.slots import FailedSlot, SlotCounts, Slots, StageTally
from search.study.stages import list_stages, open_next
from search.study.study import create_or_resume
from tests.outcomes import RESULT

HERE = this_process()
THERE = "elsewhere/boot/1:1:1"


def trials_of(slots):
    return slots.study.storage.rdb.get_all_trials(slots.study.id)


def states(slots):
    return [trial.state for trial in trials_of(slots)]


def test_slots_are_claimed_one_by_one_from_the_lowest_each_with_its_running_trial(study_of):
    slots = Slots(study_of(3))
    claims = [slots.claim(THERE) for _ in range(3)]
    assert [(claim.stage, claim.slot, claim.attempt, claim.number) for claim in claims] == [
        (1, slot, 1, slot) for slot in range(3)
    ]
    assert slots.claim(THERE) is NoClaim.WAIT
    assert states(slots) == [TrialState.RUNNING] * 3


def test_a_study_is_done_when_every_slot_of_every_stage_is_closed(study_of):
    slots = Slots(study_of(1, 2))
    for stage, slot in ((1, 0), (2, 0), (2, 1)):
        claim = slots.claim(HERE)
        assert (claim.stage, claim.slot) == (stage, slot)
        slots.finish(claim, RESULT)
    assert slots.claim(HERE) is NoClaim.DONE
    assert slots.counts(2) == SlotCounts(finished=2)
    assert states(slots) == [TrialState.COMPLETE] * 3


def test_the_slots_of_all_stages_are_tallied_without_waiting_for_who_writes(study_of):
    slots = Slots(study_of(1, 3, max_attempts=1))
    assert slots.tally() == ()
    slots.finish(slots.claim(HERE), RESULT)
    slots.fail_attempt(slots.claim(HERE), "no memory")
    slots.claim(HERE)
    with slots.study.storage.engine.begin():
        found = slots.tally()
        assert len(slots.failed()) == 1
    assert found == (
        StageTally(1, SlotCounts(finished=1)),
        StageTally(3, SlotCounts(waiting=1, claimed=1, failed=1), 1),
    )
    assert [(stage.counts.open, stage.counts.closed) for stage in found] == [(0, 1), (2, 1)]
    assert [slots.counts(number) for number in (1, 2, 3)] == [*(stage.counts for stage in found), SlotCounts()]


def test_who_held_a_slot_that_was_taken_over_finds_out_and_changes_nothing(study_of, expire):
    slots = Slots(study_of(2))
    first = slots.claim(THERE)
    expire()
    second = Slots(slots.study).claim(HERE)
    assert (second.slot, second.attempt, second.token) == (0, 2, first.token + 1)
    before = trials_of(slots)
    for step in (
        lambda: slots.renew(first),
        lambda: slots.report(first, {1: 9.0}),
        lambda: slots.finish(first, RESULT),
        lambda: slots.give_back(first, "stopped"),
        lambda: slots.fail_attempt(first, "no memory"),
    ):
        with pytest.raises(StaleClaim, match="slot 0 of stage 1 has been taken over from elsewhere"):
            step()
    assert slots.counts(1) == SlotCounts(claimed=1, waiting=1)
    assert trials_of(slots) == before


def test_a_lease_that_ran_out_can_be_renewed_while_nobody_took_the_slot(study_of, expire):
    slots = Slots(study_of(1))
    claim = slots.claim(THERE)
    expire()
    slots.renew(claim)
    assert slots.claim(HERE) is NoClaim.WAIT


def test_values_on_the_way_are_stored_together_renew_the_lease_and_stand_once_they_are_there(study_of, expire):
    slots = Slots(study_of(1))
    claim = slots.claim(THERE)
    expire()
    slots.report(claim, {1: 30.0, 2: math.nan})
    slots.report(claim, {2: 5.0, 3: math.inf})
    found = trials_of(slots)[0].intermediate_values
    assert (found[1], math.isnan(found[2]), found[3]) == (30.0, True, math.inf)
    assert slots.claim(HERE) is NoClaim.WAIT


def test_a_slot_given_back_is_as_if_never_claimed_but_for_its_token(study_of):
    slots = Slots(study_of(1))
    first = slots.claim(HERE)
    slots.give_back(first, "stopped")
    second = slots.claim(HERE)
    assert (second.attempt, second.failures, second.losses) == (1, 0, 0)
    assert second.token == first.token + 1
    assert states(slots) == [TrialState.FAIL, TrialState.RUNNING]
    assert trials_of(slots)[0].user_attrs["reason"] == "stopped"


def test_a_slot_is_closed_as_failed_after_as_many_failed_attempts_as_allowed(study_of):
    slots = Slots(study_of(1, max_attempts=2))
    slots.fail_attempt(slots.claim(HERE), "OSError: first")
    again = slots.claim(HERE)
    assert again.attempt == 2
    slots.fail_attempt(again, "OSError: second")
    assert slots.claim(HERE) is NoClaim.DONE
    assert slots.failed() == (FailedSlot(1, 0, "2 attempts failed, the last one with OSError: second"),)
    assert states(slots) == [TrialState.FAIL] * 2


def test_studies_in_one_storage_do_not_share_slots(storage, study_of):
    one = Slots(study_of(1))
    other = Slots(create_or_resume(storage, "other", one.study.spec))
    assert (one.claim(THERE).study, other.claim(THERE).study) == ("ages", "other")
    assert one.claim(THERE) is NoClaim.WAIT


def test_a_step_that_came_through_may_be_taken_again_and_changes_nothing(study_of):
    slots = Slots(study_of(3))
    finished, given_back, failed = (slots.claim(HERE) for _ in range(3))
    seen = []
    for _ in range(2):
        slots.finish(finished, RESULT)
        slots.give_back(given_back, "stopped")
        slots.fail_attempt(failed, "no memory")
        seen.append(trials_of(slots))
        assert slots.counts(1) == SlotCounts(finished=1, waiting=2)
    assert seen[0] == seen[1]


def test_a_trial_that_another_program_has_ended_gets_no_second_result(study_of):
    slots = Slots(study_of(1))
    claim = slots.claim(HERE)
    slots.study.storage.rdb.set_trial_state_values(claim.trial, TrialState.COMPLETE, [1.0])
    with pytest.raises(RuntimeError, match="trial 0 has been ended by another program"):
        slots.finish(claim, RESULT)
    slots.fail_attempt(claim, "ended by another program")
    assert slots.counts(1) == SlotCounts(waiting=1)
    (trial,) = trials_of(slots)
    assert (trial.state, trial.value, "reason" in trial.user_attrs) == (TrialState.COMPLETE, 1.0, False)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_stage_that_another_worker_opens_while_all_is_looked_through_is_not_taken_for_closed(study_of, storage):
    study = study_of(1, 1)
    slots, meanwhile = Slots(study), iter([open_next])

    def open_it(_connection, _cursor, statement, *_):
        if "agesearch_slots.state IN" in statement or "max(agesearch_stages.stage)" in statement:
            for step in meanwhile:
                step(study, 0)

    listen(storage.engine, "after_cursor_execute", open_it)
    assert slots.claim(HERE) is NoClaim.WAIT
    assert [stage.number for stage in list_stages(study)] == [1]
    assert slots.claim(HERE).stage == 1
