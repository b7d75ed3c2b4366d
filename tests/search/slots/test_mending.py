import pytest
from optuna.trial import TrialState

from search.errors import StaleClaim
from search.slots.mending import MAX_LOSSES, mend, sweep
from search.slots.slots import SlotCounts, Slots
from search.study.claims import NoClaim
from search.study.owner import this_process
from search.study.stages import read_stage
from search.study.trials import Trials
from tests.outcomes import outcome_of

HERE = this_process()
DEAD = HERE.rsplit(":", 1)[0] + ":1"


@pytest.fixture
def slots(study_of):
    return Slots(study_of(1))


@pytest.fixture
def trials(slots):
    return Trials(slots.study)


@pytest.fixture
def create(slots, trials):
    return lambda claim: trials.create(claim, read_stage(slots.study, 1).assignment(1, claim.slot))


def state_of(slots, trial_id):
    return slots.study.storage.rdb.get_trial(trial_id).state


def test_a_slot_that_was_free_needs_no_mending(slots, trials):
    assert mend(slots, trials, slots.claim(HERE))


def test_the_trial_of_a_lost_attempt_is_told_fail(slots, trials, create):
    lost = slots.claim(DEAD)
    trial_id = create(lost)
    slots.attach(lost, trial_id)
    assert mend(slots, trials, slots.claim(HERE))
    assert state_of(slots, trial_id) is TrialState.FAIL


def test_a_trial_created_but_never_attached_is_told_fail(slots, trials, create):
    trial_id = create(slots.claim(DEAD))
    assert mend(slots, trials, slots.claim(HERE))
    assert state_of(slots, trial_id) is TrialState.FAIL


def test_a_result_that_counted_closes_the_slot(slots, trials, create):
    lost = slots.claim(DEAD)
    trial_id = create(lost)
    slots.attach(lost, trial_id)
    trials.commit(trial_id, outcome_of(1.0, 1.0, 1.0, 1.0), 0.0)
    assert not mend(slots, trials, slots.claim(HERE))
    assert slots.counts(1) == SlotCounts(finished=1)
    assert slots.claim(HERE) is NoClaim.DONE


def test_a_mender_taken_over_in_turn_leaves_the_next_ones_trial_alone(slots, trials, create):
    slots.claim(DEAD)
    slow = slots.claim(DEAD)
    fast = slots.claim(HERE)
    trial_id = create(fast)
    slots.attach(fast, trial_id)
    mend(slots, trials, slow)
    assert state_of(slots, trial_id) is TrialState.RUNNING
    with pytest.raises(StaleClaim):
        slots.renew(slow)


def test_a_slot_in_which_worker_after_worker_dies_is_closed_as_failed(slots, trials):
    for _ in range(MAX_LOSSES):
        assert mend(slots, trials, slots.claim(DEAD))
    assert not mend(slots, trials, slots.claim(HERE))
    assert [slot.reason for slot in slots.failed()] == [f"{MAX_LOSSES} workers died while running it"]


def test_the_sweep_leaves_no_trial_running(slots, trials, create):
    claim = slots.claim(DEAD)
    trial_id = create(claim)
    slots.close(claim)
    sweep(slots, trials)
    assert state_of(slots, trial_id) is TrialState.FAIL


def test_the_sweep_leaves_alone_what_is_run_in_a_slot_that_has_been_opened_again_since(slots, trials, create):
    lost = create(slots.claim(DEAD))
    living = create(slots.claim(HERE))
    sweep(slots, trials)
    assert (state_of(slots, lost), state_of(slots, living)) == (TrialState.FAIL, TrialState.RUNNING)
