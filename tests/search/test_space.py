import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.documents import from_json, to_json
from search.errors import SearchError
from search.space import FIRST_BOX, Box, LogRange

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


def test_equal_shares_are_equal_steps_of_the_logarithm():
    steps = [LogRange("x", 1e-6, 1e-2).at(share) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert steps == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])


@pytest.mark.parametrize("ranges", [(), (LogRange("x", 1, 2), LogRange("x", 1, 3))])
def test_a_box_needs_a_range_and_each_name_once(ranges):
    with pytest.raises(SearchError, match="each name once"):
        Box(ranges)


def test_a_box_survives_being_written_as_json():
    assert from_json(Box, to_json(FIRST_BOX)) == FIRST_BOX


def test_a_box_prints_its_ranges():
    assert str(FIRST_BOX) == "learning_rate [1e-06, 0.001], l2 [1e-06, 10]"
