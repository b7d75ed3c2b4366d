import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.space.distributions import distribution_of, value_of
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange

RANGES = [
    LogRange("learning_rate", 1e-6, 1e-3),
    LinearRange("dropout", 0.0, 0.5),
    IntegerRange("width", 8, 64),
    Choices("batch_size", (16, 32, 64)),
    Choices("initializer", ("xavier", "gaussian")),
]


@pytest.mark.parametrize("make", [LinearRange, IntegerRange])
def test_a_range_needs_its_bounds_in_order(make):
    with pytest.raises(SearchError, match=r"the range width = \[2, 1\] is not one"):
        make("width", 2, 1)


def test_a_linear_range_needs_finite_bounds():
    with pytest.raises(SearchError, match="give two finite numbers"):
        LinearRange("x", 0, math.inf)


@pytest.mark.parametrize("values", [(), (1, 1), ("a", "a")])
def test_choices_are_at_least_one_and_each_once(values):
    with pytest.raises(SearchError, match="give at least one, and each once"):
        Choices("x", values)


@given(st.floats(0, 1))
def test_no_draw_leaves_its_range_and_optuna_agrees(share):
    for each in RANGES:
        value, distribution = each.at(share), distribution_of(each)
        assert distribution._contains(distribution.to_internal_repr(value))


def test_whole_numbers_and_choices_are_equally_likely():
    shares = [place / 300 for place in range(300)]
    for each, count in ((IntegerRange("x", 4, 6), 100), (Choices("x", ("a", "b", "c")), 100)):
        drawn = [each.at(share) for share in shares]
        assert {drawn.count(value) for value in drawn} == {count}


@pytest.mark.parametrize("searched", RANGES)
def test_a_value_is_read_back_from_what_optuna_keeps(searched):
    from optuna.distributions import distribution_to_json

    distribution = distribution_of(searched)
    value = searched.at(0.7)
    read = value_of(distribution.to_internal_repr(value), distribution_to_json(distribution))
    assert (read, type(read)) == (value, type(value))
