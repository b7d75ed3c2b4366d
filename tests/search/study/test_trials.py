import numpy as np
import pytest
from optuna.trial import TrialState

from search.study import trials
from search.study.slots import Slots
from search.study.trial import Diverged, Pruned
from search.study.trials import Result, require_own_names
from tests.outcomes import RESULT, outcome_of, result_of


@pytest.fixture
def trial_id(study_of):
    return Slots(study_of(5)).claim("lab/0/0:1:1").trial


@pytest.fixture
def end(storage, trial_id):
    """End the trial with a result, or fail it for a reason, and return what Optuna reads of it."""

    def ended(how):
        with storage.engine.begin() as tx:
            trials.fail(tx, trial_id, how) if isinstance(how, str) else trials.finish(tx, trial_id, how)
        return storage.rdb.get_trial(trial_id)

    return ended


def test_a_result_ranks_by_its_score_and_keeps_every_measure_next_to_it(end):
    trial = end(RESULT)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 12.75)
    measures = ("validation_mae", "training_mae", "penalty", "seconds")
    assert [trial.user_attrs[measure] for measure in measures] == [12.5, 11.0, 0.25, 8.0]


def test_measures_may_be_numpys(end):
    trial = end(result_of(*map(np.float32, (12.75, 12.5, 11.0, 0.25)), (12.5, np.float32(11.25))))
    assert trial.value == 12.75
    assert trial.user_attrs["training_curve"] == [12.5, 11.25]


def test_a_diverged_trial_has_the_reason_and_no_value(end):
    trial = end(Result(Diverged("the loss is nan in epoch 2"), 8.0))
    assert (trial.state, trial.value) == (TrialState.PRUNED, None)
    assert trial.user_attrs["reason"] == "the loss is nan in epoch 2"
    assert "seconds" not in trial.user_attrs


def test_a_pruned_trial_has_the_reason_and_how_far_it_came(end):
    trial = end(Result(Pruned("it is the worst", 3), 8.0))
    assert (trial.state, trial.value) == (TrialState.PRUNED, None)
    assert [trial.user_attrs[name] for name in ("reason", "pruned_after", "seconds")] == ["it is the worst", 3, 8.0]


def test_the_values_on_the_way_and_the_artifacts_come_with_the_result(end):
    trial = end(Result(outcome_of(1, 1, 1, 1), 8.0, {1: 30.0, 2: 15.0}, {"artifacts:7": "a file"}))
    assert trial.intermediate_values == {1: 30.0, 2: 15.0}
    assert trial.system_attrs == {"artifacts:7": "a file"}


@pytest.mark.parametrize("late", [RESULT, Result(Diverged("late"), 0.0, {1: 3.0}), "late"])
def test_what_comes_after_a_trial_has_failed_changes_nothing(late, end):
    failed = end("no memory")
    assert (failed.state, failed.user_attrs["reason"]) == (TrialState.FAIL, "no memory")
    assert end(late) == failed


def test_a_trial_with_a_result_cannot_be_failed_any_more(end):
    finished = end(RESULT)
    assert end("taken over") == finished


@pytest.mark.parametrize("name", ["stage", "seconds", "reason", "epochs"])
def test_a_measure_has_the_name_of_nothing_else(name):
    with pytest.raises(ValueError, match=f"the measure '{name}' has a name that is taken"):
        require_own_names({"fine": 1.0, name: 2.0}, {"epochs": 5})
