import math

import numpy as np
import pytest
from optuna.trial import TrialState

from search.errors import SearchError, StaleClaim
from search.space.box import FIRST_BOX
from search.space.seeds import trial_seeds
from search.study.assignment import Assignment
from search.study.claims import Claim
from search.study.trial import Diverged
from search.study.trials import RunningTrial, Trials
from tests.outcomes import outcome_of

SEEDS = trial_seeds(1, 1, 4)
PARAMS = {"learning_rate": 1e-4, "l2": 1e-3}
ASSIGNMENT = Assignment(PARAMS, FIRST_BOX, SEEDS, images=500, epochs=5)
CLAIM = Claim(
    study="ages", stage=1, slot=4, token=9, owner="lab/0/0:1:1", failures=1, losses=0, taken_over=False, left_trial=None
)
OUTCOME = outcome_of(12.75, 12.5, 11.0, 0.25)


@pytest.fixture
def study(study_of):
    return study_of(5)


@pytest.fixture
def trials(study):
    return Trials(study)


@pytest.fixture
def trial_id(trials):
    return trials.create(CLAIM, ASSIGNMENT)


def test_a_trial_is_created_running_with_its_parameters_and_where_it_belongs(study, trials, trial_id):
    trial = study.storage.rdb.get_trial(trial_id)
    assert (trial.state, trial.number, trial.params) == (TrialState.RUNNING, 0, PARAMS)
    assert trial.distributions["l2"].log
    assert (trial.distributions["l2"].low, trial.distributions["l2"].high) == (1e-6, 10.0)
    assert trial.user_attrs["seeds"]["weights"] == SEEDS.weights
    assert [trial.user_attrs[key] for key in ("images", "epochs")] == [500, 5]
    assert {key: trial.user_attrs[key] for key in ("stage", "slot", "attempt", "token", "worker")} == {
        "stage": 1,
        "slot": 4,
        "attempt": 2,
        "token": 9,
        "worker": "lab/0/0:1:1",
    }
    assert trials.running() == [RunningTrial(trial_id, stage=1, slot=4, token=9)]


def test_a_result_ranks_by_its_score_and_keeps_every_measure_beside_it(study, trials, trial_id):
    trials.commit(trial_id, OUTCOME, 8.0)
    trial = study.storage.rdb.get_trial(trial_id)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 12.75)
    measures = ("validation_mae", "training_mae", "penalty", "seconds")
    assert [trial.user_attrs[measure] for measure in measures] == [12.5, 11.0, 0.25, 8.0]


def test_measures_may_be_numpys(study, trials, trial_id):
    trials.commit(trial_id, outcome_of(*map(np.float32, (12.75, 12.5, 11.0, 0.25))), 8.0)
    assert study.storage.rdb.get_trial(trial_id).value == 12.75


def test_a_diverged_trial_is_pruned_with_the_reason(study, trials, trial_id):
    trials.report(trial_id, 1, math.nan)
    trials.commit(trial_id, Diverged("the loss is nan in epoch 2"), 8.0)
    trial = study.storage.rdb.get_trial(trial_id)
    assert (trial.state, trial.value) == (TrialState.PRUNED, None)
    assert trial.user_attrs["reason"] == "the loss is nan in epoch 2"


@pytest.mark.parametrize("late", [OUTCOME, Diverged("late")])
def test_a_result_after_the_trial_was_told_fail_is_refused_and_changes_nothing(late, study, trials, trial_id):
    assert trials.fail(trial_id, "taken over") is TrialState.FAIL
    before = study.storage.rdb.get_trial(trial_id)
    with pytest.raises(StaleClaim, match="too late"):
        trials.commit(trial_id, late, 8.0)
    with pytest.raises(StaleClaim):
        trials.report(trial_id, 1, 3.0)
    assert study.storage.rdb.get_trial(trial_id) == before


def test_a_trial_with_a_result_cannot_be_failed_any_more(study, trials, trial_id):
    trials.commit(trial_id, OUTCOME, 8.0)
    assert trials.fail(trial_id, "taken over") is TrialState.COMPLETE
    assert "reason" not in study.storage.rdb.get_trial(trial_id).user_attrs


def test_a_result_that_comes_while_another_process_fails_its_trial_gets_no_reason(study, trials, trial_id, monkeypatch):
    rdb = study.storage.rdb
    fail = rdb.set_trial_state_values

    def too_late(number, state, values=None):
        monkeypatch.setattr(rdb, "set_trial_state_values", fail)
        trials.commit(trial_id, OUTCOME, 8.0)
        return fail(number, state, values)

    monkeypatch.setattr(rdb, "set_trial_state_values", too_late)
    assert trials.fail(trial_id, "taken over") is TrialState.COMPLETE
    assert "reason" not in rdb.get_trial(trial_id).user_attrs


def test_of_two_who_fail_a_trial_the_first_says_why(study, trials, trial_id):
    for reason in ("no memory", "taken over"):
        assert trials.fail(trial_id, reason) is TrialState.FAIL
    assert study.storage.rdb.get_trial(trial_id).user_attrs["reason"] == "no memory"


def test_trials_of_other_programs_are_not_counted(study, trials):
    study.storage.rdb.create_new_trial(study.id)
    assert trials.running() == []


def test_a_training_curve_is_kept_where_there_is_one(study, trials, trial_id):
    trials.commit(trial_id, outcome_of(12.75, 12.5, 11.0, 0.25, (12.5, np.float32(11.25))), 8.0)
    assert study.storage.rdb.get_trial(trial_id).user_attrs["training_curve"] == [12.5, 11.25]


def test_a_study_deleted_meanwhile_is_reported(study, trials):
    trial_id = trials.create(CLAIM, ASSIGNMENT)
    study.storage.rdb.delete_study(study.id)
    steps = (
        lambda: trials.create(CLAIM, ASSIGNMENT),
        lambda: trials.commit(trial_id, OUTCOME, 8.0),
        lambda: trials.fail(trial_id, "taken over"),
    )
    for step in steps:
        with pytest.raises(SearchError, match=r"the study 'ages' has been deleted from (sqlite|postgresql)"):
            step()
