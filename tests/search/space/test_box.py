import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.space.box import Box, around, with_bounds
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange
from search.space.seeds import trial_seeds, uniforms
from search.storage.documents import from_json, to_json
from search.tasks.images.parameters import FIRST_BOX, box_of

POSITIVE = st.floats(1e-12, 1e12)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-1, 1), (1, 1), (2, 1), (1, math.inf), (math.nan, 1), (1, math.nan)]
)
def test_a_range_needs_two_finite_positive_numbers_in_order(low, high):
    with pytest.raises(SearchError, match=r"the range l2 = \[.*the smaller first"):
        LogRange("l2", low, high)


@given(st.tuples(POSITIVE, POSITIVE).filter(lambda pair: pair[0] < pair[1]), st.floats(0, 1))
def test_no_draw_leaves_its_range(bounds, share):
    assert bounds[0] <= LogRange("x", *bounds).at(share) <= bounds[1]


def test_the_papers_ranges_give_these_draws_in_every_version():
    assert FIRST_BOX.at(uniforms(trial_seeds(1, 1, 0).parameters, 2)) == {
        "learning_rate": 0.0002483428514252227,
        "l2": 1.0162156437157157,
    }


def test_learning_rate_and_l2_are_drawn_alike_whatever_else_is_searched():
    more = box_of({"batch_size": Choices("batch_size", (16, 32)), "dropout": LinearRange("dropout", 0, 0.5)})
    draws = more.at(uniforms(trial_seeds(1, 1, 0).parameters, 4))
    assert draws.items() > FIRST_BOX.at(uniforms(trial_seeds(1, 1, 0).parameters, 2)).items()


def test_equal_shares_are_equal_steps_of_the_logarithm():
    steps = [LogRange("x", 1e-6, 1e-2).at(share) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert steps == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])


@pytest.mark.parametrize("ranges", [(), (LogRange("x", 1, 2), LogRange("x", 1, 3))])
def test_a_box_needs_a_range_and_each_name_once(ranges):
    with pytest.raises(SearchError, match="each name once"):
        Box(ranges)


MIXED = Box(
    (
        LogRange("learning_rate", 1e-5, 1e-3),
        LinearRange("dropout", 0.0, 0.5),
        IntegerRange("width", 8, 64),
        Choices("batch_size", (16, 32)),
        Choices("l2", (0, 1e-4)),
        Choices("initializer", ("xavier", "gaussian")),
    )
)


@pytest.mark.parametrize("box", [FIRST_BOX, MIXED])
def test_a_box_survives_being_written_as_json(box):
    again = from_json(Box, to_json(box))
    assert again == box
    assert [type(value) for value in again.at([0.5] * len(box.ranges)).values()] == [
        type(value) for value in box.at([0.5] * len(box.ranges)).values()
    ]


def test_the_box_around_others_holds_them_all():
    wider = Box(
        (LogRange("learning_rate", 1e-4, 1e-2), *MIXED.ranges[1:2], IntegerRange("width", 2, 9), *MIXED.ranges[3:])
    )
    found = around([MIXED, wider])
    assert found.ranges[:3] == (
        LogRange("learning_rate", 1e-5, 1e-2), LinearRange("dropout", 0.0, 0.5), IntegerRange("width", 2, 64)
    )  # fmt: skip
    assert found.ranges[3:] == MIXED.ranges[3:]


def test_a_box_prints_its_ranges():
    assert str(FIRST_BOX) == "learning_rate [1e-06, 0.001], l2 [1e-06, 10]"


def test_other_bounds_leave_the_kind_of_a_range_and_all_other_ranges():
    box = Box((LogRange("lr", 1e-5, 1e-1), IntegerRange("depth", 1, 9, step=2), Choices("kind", ("a", "b"))))
    assert with_bounds(box, {"depth": (3, 7)}) == Box(
        (box.ranges[0], IntegerRange("depth", 3, 7, step=2), box.ranges[2])
    )
    assert with_bounds(box, box.bounds) == box


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"rate": (1, 2)}, "ranges has rate, which is no range of numbers of the first box"),
        ({"kind": (1, 2)}, "ranges has kind, which is no range of numbers of the first box"),
        ({"depth": (1.5, 3)}, "depth = .*, which takes whole numbers"),
        ({"lr": (1, 1e-3)}, "the range lr = .* is not one"),
    ],
)
def test_bounds_that_the_box_cannot_have_are_refused(bounds, said):
    box = Box((LogRange("lr", 1e-5, 1e-1), IntegerRange("depth", 1, 9), Choices("kind", ("a", "b"))))
    with pytest.raises(SearchError, match=said):
        with_bounds(box, bounds)
