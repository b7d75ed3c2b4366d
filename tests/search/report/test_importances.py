import math

import numpy as np
import pytest

from search.report.importances import importances
from search.space.box import Box
from search.space.ranges import Choices
from search.tasks.images.parameters import FIRST_BOX
from tests.search.tiny import ranked

pytestmark = pytest.mark.usefixtures("quiet")


def trials_that_depend_on(name, count):
    """Trials all over the first box, the better the nearer the named parameter is to 1e-4."""
    drawn = [FIRST_BOX.at(shares) for shares in np.random.default_rng(0).random((count, 2))]
    return [ranked(number, abs(math.log10(params[name]) + 4), params) for number, params in enumerate(drawn)]


@pytest.mark.parametrize(("deciding", "other"), [("l2", "learning_rate"), ("learning_rate", "l2")])
def test_the_parameter_that_decides_is_the_important_one(deciding, other):
    found = importances(trials_that_depend_on(deciding, 60), FIRST_BOX)
    assert sum(found.values()) == pytest.approx(1)
    assert found[deciding] > 2 * found[other]


def test_of_few_trials_nothing_is_said():
    assert importances(trials_that_depend_on("l2", 9), FIRST_BOX) == {}
    assert importances(trials_that_depend_on("l2", 10), FIRST_BOX) != {}


def test_parameters_that_cannot_vary_have_no_importance():
    box = Box((Choices("learning_rate", (1e-3,)), *FIRST_BOX.ranges[1:]))
    trials = [ranked(each.number, each.score, {**each.params, "learning_rate": 1e-3}) for each in _varied("l2")]
    assert list(importances(trials, box)) == ["l2"]
    fixed = Box(tuple(Choices(each.name, (1e-3,)) for each in FIRST_BOX.ranges))
    assert importances([ranked(number, number, dict.fromkeys(fixed.names, 1e-3)) for number in range(20)], fixed) == {}


def test_of_trials_that_all_score_alike_nothing_is_said():
    assert importances([ranked(each.number, 7.0, each.params) for each in _varied("l2")], FIRST_BOX) == {}


def _varied(name):
    return trials_that_depend_on(name, 20)
