import math

import numpy as np
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from search.report.study_trials import frozen_trials, importances, shown
from search.space.box import FIRST_BOX
from search.study.trials import Diverged
from tests.integration.fake_study import expected, run_trial
from tests.search.tiny import work_off

pytestmark = pytest.mark.usefixtures("quiet")


def trials_that_depend_on(name, count):
    """Trials all over the first box, the better the nearer the named parameter is to 1e-4."""
    distributions = {each.name: FloatDistribution(each.low, each.high, log=True) for each in FIRST_BOX.ranges}
    drawn = [FIRST_BOX.at(shares) for shares in np.random.default_rng(0).random((count, 2))]
    return [
        create_trial(params=params, distributions=distributions, value=abs(math.log10(params[name]) + 4))
        for params in drawn
    ]


def test_the_trials_of_all_stages_are_shown_with_what_they_measured(study_of):
    study = study_of(3, 2)
    work_off(study)
    trials = [shown(trial) for trial in frozen_trials(study)]
    found = {(trial.stage, trial.slot): (trial.params, trial.score) for trial in trials}
    assert found == expected(study.spec)
    assert [trial.number for trial in trials] == sorted(trial.number for trial in trials)
    assert {(trial.training_mae, trial.curve) for trial in trials} == {(1.0, ())}


def test_diverged_trials_and_those_of_others_are_not_shown(study_of):
    study = study_of(2)
    study.storage.rdb.create_new_trial(study.id)
    work_off(study, lambda task: run_trial(task) if task.slot else Diverged("nan"))
    assert [shown(trial).slot for trial in frozen_trials(study)] == [1]


def test_what_a_trial_reported_is_its_curve_in_the_order_of_epochs(study_of):
    study = study_of(1)
    work_off(study)
    (trial,) = frozen_trials(study)
    trial.intermediate_values = {2: 8.0, 1: 9.0, 10: 7.0}
    assert shown(trial).curve == (9.0, 8.0, 7.0)
    assert shown(trial).validates  # on a part of the images, by which pruning judges
    trial.intermediate_values[10] = trial.user_attrs["training_mae"]
    assert not shown(trial).validates


@pytest.mark.parametrize(("deciding", "other"), [("l2", "learning_rate"), ("learning_rate", "l2")])
def test_the_parameter_that_decides_is_the_important_one(deciding, other):
    found = importances(trials_that_depend_on(deciding, 60))
    assert sum(found.values()) == pytest.approx(1)
    assert found[deciding] > 2 * found[other]


def test_of_few_trials_nothing_is_said():
    assert importances(trials_that_depend_on("l2", 9)) == {}
    assert importances(trials_that_depend_on("l2", 10)) != {}
