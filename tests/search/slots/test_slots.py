import pytest
from sqlalchemy import update

from search.errors import StaleClaim
from search.slots.slots import FailedSlot, SlotCounts, Slots, StageTally
from search.storage.tables import slots as table
from search.study.claims import NoClaim
from search.study.owner import this_process
from search.study.study import create_or_resume

HERE = this_process()
THERE = "elsewhere/boot/1:1:1"
DEAD = this_process().rsplit(":", 1)[0] + ":1"


@pytest.fixture
def expire(storage):
    """Let the leases of all claimed slots run out."""

    def run_out():
        with storage.engine.begin() as tx:
            tx.execute(update(table).values(lease_expires=0.0).where(table.c.lease_expires.is_not(None)))

    return run_out


def test_slots_are_claimed_one_by_one_from_the_lowest(study_of):
    slots = Slots(study_of(3))
    claims = [slots.claim(THERE) for _ in range(3)]
    assert [(claim.stage, claim.slot, claim.attempt, claim.taken_over) for claim in claims] == [
        (1, slot, 1, False) for slot in range(3)
    ]
    assert slots.claim(THERE) is NoClaim.WAIT


def test_a_study_is_done_when_every_slot_of_every_stage_is_closed(study_of):
    slots = Slots(study_of(1, 2))
    for stage, slot in ((1, 0), (2, 0), (2, 1)):
        claim = slots.claim(HERE)
        assert (claim.stage, claim.slot) == (stage, slot)
        slots.close(claim)
    assert slots.claim(HERE) is NoClaim.DONE
    assert slots.counts(2) == SlotCounts(finished=2)


def test_the_slots_of_all_stages_are_tallied_at_once(study_of):
    slots = Slots(study_of(1, 3))
    assert slots.tally() == ()
    slots.close(slots.claim(HERE))
    slots.fail(slots.claim(HERE), "no memory")
    slots.claim(HERE)
    found = slots.tally()
    assert found == (StageTally(1, SlotCounts(finished=1)), StageTally(3, SlotCounts(waiting=1, claimed=1, failed=1)))
    assert [(stage.counts.open, stage.counts.closed) for stage in found] == [(0, 1), (2, 1)]
    assert [slots.counts(number) for number in (1, 2, 3)] == [*(stage.counts for stage in found), SlotCounts()]


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_finds_out(study_of, expire):
    slots = Slots(study_of(2))
    first = slots.claim(THERE)
    slots.attach(first, 7)
    expire()
    second = slots.claim(HERE)
    assert (second.slot, second.taken_over, second.left_trial, second.attempt) == (0, True, 7, 2)
    assert second.token > first.token
    for step in (slots.renew, slots.close, slots.give_back):
        with pytest.raises(StaleClaim, match="slot 0 of stage 1 has been taken over from elsewhere"):
            step(first)
    for step in (slots.attach, slots.fail, slots.fail_attempt):
        with pytest.raises(StaleClaim):
            step(first, 8)
    assert slots.counts(1) == SlotCounts(claimed=1, waiting=1)


def test_a_lease_that_ran_out_can_be_renewed_while_nobody_took_the_slot(study_of, expire):
    slots = Slots(study_of(1))
    claim = slots.claim(THERE)
    expire()
    slots.renew(claim)
    assert slots.claim(HERE) is NoClaim.WAIT


def test_the_slot_of_a_dead_process_of_this_machine_is_taken_over_at_once(study_of):
    slots = Slots(study_of(1))
    slots.claim(DEAD)
    assert slots.claim(HERE).taken_over


@pytest.mark.parametrize("owner", [HERE, THERE], ids=["here", "elsewhere"])
def test_the_slot_of_a_process_not_known_to_be_dead_is_left_alone(owner, study_of):
    slots = Slots(study_of(1))
    slots.claim(owner)
    assert slots.claim(HERE) is NoClaim.WAIT


def test_a_slot_given_back_is_as_if_never_claimed_but_for_its_token(study_of):
    slots = Slots(study_of(1))
    first = slots.claim(HERE)
    slots.attach(first, 3)
    slots.give_back(first)
    second = slots.claim(HERE)
    assert (second.attempt, second.taken_over, second.left_trial) == (1, False, None)
    assert second.token == first.token + 1


def test_a_slot_is_closed_as_failed_after_as_many_failed_attempts_as_allowed(study_of):
    slots = Slots(study_of(1, max_attempts=2))
    slots.fail_attempt(slots.claim(HERE), "OSError: first")
    again = slots.claim(HERE)
    assert again.attempt == 2
    slots.fail_attempt(again, "OSError: second")
    assert slots.claim(HERE) is NoClaim.DONE
    assert slots.failed() == (FailedSlot(1, 0, "2 attempts failed, the last one with OSError: second"),)


def test_lost_attempts_do_not_count_as_failed_ones(study_of):
    slots = Slots(study_of(1))
    for _ in range(5):
        slots.claim(DEAD)
    claim = slots.claim(HERE)
    assert (claim.failures, claim.losses) == (0, 5)


def test_studies_in_one_storage_do_not_share_slots(storage, study_of):
    one = Slots(study_of(1))
    other = Slots(create_or_resume(storage, "other", one.study.spec))
    assert (one.claim(THERE).study, other.claim(THERE).study) == ("ages", "other")
    assert one.claim(THERE) is NoClaim.WAIT
