import math

import pytest

from search.errors import SearchError
from search.space.parameters import read_space
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange
from search.tasks.images.parameters import FIRST_BOX, PARAMETERS, box_of, named_in_full, require_known

SPACE = (
    LogRange("learning_rate", 1e-5, 1e-2),
    LinearRange("dropout", 0, 0.5),
    IntegerRange("width", 8, 64),
    Choices("batch_size", (16, 32)),
    Choices("initializer", ("xavier", "gaussian")),
    Choices("augmentation", (0.5,)),
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"droput": 0.5}, "droput cannot be searched; did you mean dropout"),
        ({"momentum": 0.5}, "momentum cannot be searched; known are learning_rate, l2, dropout"),
        ({"dropout": {"linear": [0, 1.5]}}, "is not allowed: dropout takes numbers from 0 to 0.99"),
        ({"batch_size": [16.5]}, "is not allowed: batch_size takes whole numbers from 1"),
        ({"batch_size": {"linear": [1.0, 2.0]}}, "is not allowed: batch_size takes whole numbers"),
        ({"batch_norm": ["here"]}, "batch_norm takes convolutions or blocks or dense or none"),
        ({"l2": [1e-3, math.inf]}, "is not allowed: l2 takes numbers from 0"),
        ({"l2": [True]}, "is not allowed: l2 takes numbers from 0"),
        ("learning_rate=inf", "is not allowed: learning_rate takes numbers from"),
        ("dropout", "is not allowed: dropout takes numbers"),
    ],
)
def test_what_is_no_parameter_or_not_one_of_its_values_is_refused(given, said):
    with pytest.raises(SearchError, match=said):
        require_known(read_space(given))


def test_the_box_of_no_space_is_the_papers():
    assert box_of({}) == FIRST_BOX


def test_the_order_of_a_box_is_that_of_the_list_whatever_the_order_of_the_space():
    found = box_of({searched.name: searched for searched in reversed(SPACE)})
    assert found.names == ("learning_rate", "l2", "dropout", "batch_size", "initializer", "width", "augmentation")
    assert list(PARAMETERS)[:2] == ["learning_rate", "l2"]
    assert found.ranges[1] == FIRST_BOX.ranges[1]


def test_tables_show_logarithms_of_learning_rate_and_l2_alone():
    headings = [PARAMETERS[name].heading for name in ("learning_rate", "l2", "dropout")]
    assert headings == ["log10(learning rate)", "log10(L2)", "dropout"]


@pytest.mark.parametrize(
    ("name", "value", "found", "shown"),
    [
        ("learning_rate", 1e-4, -4.0, "-4.000"), ("learning_rate", 1, 0.0, "0.000"), ("l2", 0, "(0)", "(0)"),
        ("dropout", 0.23456, 0.23456, "0.235"), ("dropout", 0, 0, "0"), ("batch_size", 4096, 4096, "4096"),
        ("batch_norm", "none", "none", "none"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_its_column_has_it(name, value, found, shown):
    assert PARAMETERS[name].in_table(value) == found
    assert PARAMETERS[name].shown(value) == shown


def test_lr_is_short_for_the_learning_rate_and_may_not_be_given_twice():
    assert named_in_full(((("lr", 1e-4),),)) == ((("learning_rate", 1e-4),),)
    with pytest.raises(SearchError, match="lr and learning_rate are the same; keep one of them"):
        named_in_full(((("lr", 1e-4), ("learning_rate", 1e-3)),))
