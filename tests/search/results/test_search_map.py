import pytest

from search.errors import SearchError
from search.results.search_map import Axis, colour_limits, search_map
from search.space.box import Box
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange
from search.space.score import MINIMIZED, Score
from search.study.stages import list_stages
from search.study.trial import Diverged
from tests.integration.fake_study import expected, finalist_budget
from tests.outcomes import outcome_of
from tests.search.tiny import work_off, work_some

OTHER = Box((LogRange("width", 0.5, 2.0), LogRange("l2", 1e-6, 1.0)))


def test_every_finished_trial_lies_where_its_parameters_say(study_of):
    study = study_of(4, 3)
    work_off(study)
    found = search_map(study)
    assert (found.study, found.x, found.y) == (
        study.name,
        Axis("learning_rate", "learning rate", log=True),
        Axis("l2", "L2", log=True),
    )
    wanted = {place: (params["learning_rate"], params["l2"]) for place, (params, _) in expected(study.spec).items()}
    assert {(trial.stage, trial.slot): (trial.x, trial.y) for trial in found.trials} == wanted


def test_the_boxes_are_those_of_the_stages_opened_so_far(study_of):
    study = study_of(4, 3)
    assert search_map(study).boxes == ()
    work_some(study, 2)
    (first,) = search_map(study).boxes
    assert (first.stage, first.x, first.y) == (1, (1e-6, 1e-3), (1e-6, 1e1))
    work_off(study)
    narrowed = list_stages(study)[1].plan.box
    second = search_map(study).boxes[1]
    assert (second.x, second.y) == tuple((each.low, each.high) for each in narrowed.ranges)


def test_the_error_and_what_ranks_a_trial_are_told_apart(study_of):
    study = study_of(1)
    work_off(study, lambda _task: outcome_of(9.5, 9.0, 8.0, 0.5))
    (trial,) = search_map(study).trials
    assert (trial.measure, trial.score) == (9.0, 9.5)


def test_the_best_trial_is_marked_until_the_finalists_have_chosen_one(study_of):
    def run(task):  # of three trials the first is the best, and of the finalists the second
        score = 9.0 + task.slot if task.stage == 1 else 8.0 - task.slot % 2
        return outcome_of(score, score, 1.0, 0.5)

    study = study_of(3, finalists=finalist_budget(2, 2, 1, 1))
    assert search_map(study).marked is None
    work_some(study, 4, run)
    found = search_map(study)
    assert (found.mark, found.marked.number, found.chosen) == ("best", 0, None)
    work_off(study, run)
    found = search_map(study)
    assert (found.mark, found.marked.number, found.chosen) == ("chosen", 1, 1)


def test_a_trial_without_a_value_has_no_place(study_of):
    study = study_of(3)
    work_off(study, lambda task: outcome_of(9, 9, 8, 0) if task.slot else Diverged("the loss is nan"))
    assert [trial.slot for trial in search_map(study).trials] == [1, 2]


def test_a_box_without_the_papers_parameters_is_shown_in_its_first_two(study_of):
    found = search_map(study_of(1, box=OTHER))
    assert (found.x.name, found.y.name) == ("width", "l2")


def test_ranges_that_are_not_logarithmic_come_after_those_that_are_and_choices_have_no_axis(study_of):
    ranges = (Choices("kind", ("a", "b")), LinearRange("rate", 0.0, 1.0), IntegerRange("trees", 1, 99, log=True))
    found = search_map(study_of(1, box=Box(ranges)))
    assert (found.x, found.y) == (Axis("trees", "trees", log=True), Axis("rate", "rate", log=False))


def test_a_study_of_one_parameter_has_no_map(study_of):
    study = study_of(1, box=Box((LogRange("l2", 1e-6, 1.0),)))
    with pytest.raises(SearchError, match=r"searches only l2 \[1e-06, 1\]; a map needs two parameters"):
        search_map(study)


@pytest.mark.parametrize(("unit", "label"), [("digits", "validation MAE (digits)"), ("", "validation MAE")])
def test_the_colours_are_named_by_the_unit_of_the_data(study_of, unit, label):
    study = study_of(2, unit=unit)
    work_off(study)
    assert search_map(study).measure_label == label


@pytest.mark.parametrize(
    ("errors", "limits"),
    [
        ([*range(10, 29), 400, 1e30], (10, 28)),
        ([*range(20, 10, -1), 1e30], (11, 20)),
        ([*range(10, 19), 1e30], (10, 18)),
        ([12, 11, 10, 5000], (10, 12)),
        ([9.0, 5000], (9.0, 10.0)),
        ([9.0, 9.0, 9.0], (9.0, 10.0)),
        ([9.0], (9.0, 10.0)),
    ],
)
def test_a_tenth_of_the_trials_and_of_few_the_worst_do_not_take_the_colours_from_the_rest(errors, limits):
    assert colour_limits(errors, MINIMIZED) == limits
    below = [-error for error in errors]
    assert colour_limits(below, Score(direction="maximize")) == (-limits[1], -limits[0])
