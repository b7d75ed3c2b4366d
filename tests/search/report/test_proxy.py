import math
import re

import pytest

from search.errors import SearchError
from search.report.proxy import BOX, Budget, Design, experiment_of, judge, read_budgets
from search.report.runs import Run

DESIGN = Design(4, (Budget(500, 5), Budget(250, 5)), Budget(5400, 12), repeats=2)
JUDGES = ["paper, 500 images × 5 epochs", "default, 500 images × 5 epochs", "default, 250 images × 5 epochs"]


def run(repeat, score, validation=()):
    return Run(repeat, score, (), validation, {})


@pytest.fixture
def experiment():
    return experiment_of(DESIGN, seed=3)


def number_of(variant):
    return int(re.search(r"configuration (\d+)", variant.name)[1])


def results(experiment, reference, score):
    """The runs of an experiment in which a judge's score is `score(judge, configuration, repeat)`."""
    runs = {}
    for variant in experiment.variants:
        number = number_of(variant)
        if variant.group == "reference":
            runs[variant.name] = [run(0, 99.0, (99.0, reference[number], 50.0))]
        else:
            runs[variant.name] = [run(repeat, score(variant.group, number, repeat)) for repeat in range(2)]
    return runs


def test_every_configuration_is_tried_by_every_judge_and_trained_for_long(experiment):
    groups = {}
    for variant in experiment.variants:
        groups.setdefault(variant.group, []).append(variant)
    assert list(groups) == [*JUDGES, "reference"]
    assert [len(group) for group in groups.values()] == [4] * 4
    drawn = [[(one.params["learning_rate"], one.params["l2"]) for one in group] for group in groups.values()]
    assert all(each == drawn[0] for each in drawn)
    assert len(set(drawn[0])) == 4


def test_budgets_recipes_and_repeats_are_those_of_the_design(experiment):
    sizes = {each.group: (each.params["recipe"], *each.budget.values(), each.repeats) for each in experiment.variants}
    assert list(sizes.values()) == [
        ("paper", 500, 5, 2), ("default", 500, 5, 2), ("default", 250, 5, 2), ("default", 5400, 12, 1),
    ]  # fmt: skip
    assert not experiment.paired  # as in a search, where every trial has images and weights of its own


def test_configurations_lie_in_the_box_and_follow_from_the_seed(experiment):
    for variant in experiment.variants:
        for searched in BOX.ranges:
            assert searched.low <= variant.params[searched.name] <= searched.high
    assert experiment_of(DESIGN, seed=3) == experiment
    assert experiment_of(DESIGN, seed=4) != experiment


def test_each_judge_is_held_against_the_lowest_error_of_the_long_training(experiment):
    reference = [6.0, 7.0, 5.0, 9.0]

    def score(group, number, repeat):
        return (-1 if group == JUDGES[0] else 1) * reference[number] + repeat / 10

    found = judge(experiment, results(experiment, reference, score))
    assert found.reference == reference
    assert [round(found.judges[name].single.value, 6) for name in JUDGES] == [-1, 1, 1]
    assert found.judges[JUDGES[0]].regret == pytest.approx(4)
    assert found.judges[JUDGES[1]].regret == 0
    assert found.judges[JUDGES[1]].noise == pytest.approx(math.sqrt(0.005))


def test_a_trial_that_came_to_nothing_is_the_worst_and_a_long_training_that_did_is_left_out(experiment):
    reference = [6.0, 7.0, 5.0, 9.0]
    runs = results(experiment, reference, lambda _group, number, _repeat: reference[number])
    runs[f"{JUDGES[1]}, configuration 3"] = []
    runs["reference, configuration 0"] = []
    found = judge(experiment, runs)
    assert found.judges[JUDGES[1]].configurations == 3
    assert found.judges[JUDGES[1]].single.value == pytest.approx(1)
    assert found.scores[JUDGES[1]][3] == [math.inf, math.inf]


def test_too_few_configurations_are_refused(experiment):
    with pytest.raises(SearchError, match="there are 0 configurations"):
        judge(experiment, {})


def test_budgets_are_read_from_text():
    assert read_budgets("500x5, 250×2") == (Budget(500, 5), Budget(250, 2))


@pytest.mark.parametrize("text", ["", "500", "500x5,", "500x5,500x5", "ax5", "500x-5"])
def test_text_that_is_no_budget_is_refused(text):
    with pytest.raises(SearchError, match="write images x epochs, each once"):
        read_budgets(text)
