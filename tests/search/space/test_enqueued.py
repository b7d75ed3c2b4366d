import pytest

from search.errors import SearchError
from search.space.box import Box
from search.space.enqueued import in_terms_of, read_enqueued, written
from search.space.ranges import Choices, IntegerRange
from search.study.plans import Sampled
from search.study.stages import list_stages
from search.tasks.images.parameters import FIRST_BOX
from tests.integration.fake_study import finished, spec_of
from tests.search.tiny import work_off

TWO = ((("learning_rate", 1e-4), ("l2", 1e-3)), (("l2", 1.0),))


@pytest.mark.parametrize(
    "given",
    [
        "learning_rate=1e-4,l2=1e-3;l2=1.0",
        "learning_rate=1e-4, l2=1e-3; l2=1.0;",
        [{"learning_rate": 1e-4, "l2": 1e-3}, {"l2": 1.0}],
    ],
)
def test_configurations_are_read_from_text_and_tables(given):
    assert read_enqueued(given) == TWO


def test_what_was_read_can_be_written_and_read_again():
    wanted = (*TWO, (("batch_size", 32), ("initializer", "xavier")))
    assert read_enqueued(written(wanted)) == wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"l2": [1]}], r"l2 is \[1\]; it must be a number, a word, true or false"),
        ([], "write configurations as in lr=1e-4"),
        (["l2"], "write configurations as in lr=1e-4"),
        (";", "write configurations as in lr=1e-4"),
        ("lr=1e-4,", "has no name; write name=value"),
        (7, "write configurations as in lr=1e-4"),
    ],
)
def test_what_is_no_configuration_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        read_enqueued(given)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ((*TWO, ()), "3 configurations are enqueued, but the first stage has 2 trials"),
        (((("dropout", 0.5),),), "dropout = 0.5 is enqueued, but not searched; the study searches learning_rate, l2"),
        (((("l2", 11.0),),), r"l2 = 11.0 is enqueued, but lies outside l2 \[1e-06, 10\]; widen the range"),
        (((("l2", "much"),),), r"l2 = much is enqueued, but l2 \[1e-06, 10\] takes numbers"),
    ],
)
def test_what_the_study_cannot_try_is_refused(wanted, said):
    with pytest.raises(SearchError, match=said):
        spec_of(2, enqueued=wanted)


def test_a_choice_may_be_enqueued_and_no_other_value():
    box = Box((*FIRST_BOX.ranges, Choices("batch_size", (16, 32))))
    assert spec_of(2, box=box, enqueued=((("batch_size", 32),),)).enqueued
    with pytest.raises(SearchError, match="batch_size = 64 is enqueued, but lies outside"):
        spec_of(2, box=box, enqueued=((("batch_size", 64),),))


@pytest.mark.parametrize(("value", "said"), [(16.0, "width 8 to 32 takes whole numbers"), (64, "lies outside width 8")])
def test_a_number_with_a_decimal_point_is_no_whole_number_and_is_told_so(value, said):
    box = Box((*FIRST_BOX.ranges, IntegerRange("width", 8, 32)))
    with pytest.raises(SearchError, match=f"width = {value} is enqueued, but {said}"):
        spec_of(2, box=box, enqueued=((("width", value),),))


def test_what_equals_a_choice_is_that_choice():
    box = Box((*FIRST_BOX.ranges, Choices("batch_size", (16, 32)), Choices("initializer", ("xavier",))))
    (given,) = in_terms_of(box, ((("l2", 16.0), ("batch_size", 16.0), ("initializer", "xavier")),))
    assert [(name, value, type(value)) for name, value in given] == [
        ("l2", 16.0, float), ("batch_size", 16, int), ("initializer", "xavier", str)
    ]  # fmt: skip


def test_the_first_slots_have_what_is_enqueued_and_draw_the_rest():
    plain, plan = (Sampled(3, FIRST_BOX, None, {"images": 500, "epochs": 5}, enqueued) for enqueued in ((), TWO))
    drawn, given = ([each.assignment(7, 1, slot) for slot in range(3)] for each in (plain, plan))
    assert given[0].params == dict(TWO[0])
    assert given[1].params == {**drawn[1].params, "l2": 1.0}
    assert given[2] == drawn[2]
    assert [each.seeds for each in given] == [each.seeds for each in drawn]


def test_enqueued_configurations_are_within_the_budget_and_in_the_first_stage_alone(study_of):
    study = study_of(3, 2, enqueued=TWO)
    work_off(study)
    trials = finished(study)
    assert len(trials) == 5
    assert trials[0][1][0] == dict(TWO[0])
    assert [stage.plan.enqueued for stage in list_stages(study)] == [TWO, ()]
