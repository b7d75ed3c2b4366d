import math

import pytest

from search.space.box import FIRST_BOX
from search.space.parameters import PARAMETERS, box_of, name_of, parameter_of, read_space
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange

SPACE = (
    LogRange("learning_rate", 1e-5, 1e-2),
    LinearRange("dropout", 0, 0.5),
    IntegerRange("width", 8, 64),
    Choices("batch_size", (16, 32)),
    Choices("initializer", ("xavier", "gaussian")),
    Choices("augmentation", (0.5,)),
)


def test_a_space_is_read_from_a_table():
    table = {
        "learning_rate": {"log": [1e-5, 1e-2]},
        "dropout": {"linear": [0, 0.5]},
        "width": {"integer": [8, 64]},
        "batch_size": [16, 32],
        "initializer": ["xavier", "gaussian"],
        "augmentation": 0.5,
    }
    assert read_space(table) == SPACE


def test_a_space_is_read_from_text():
    text = (
        "learning_rate=log:1e-5:1e-2, dropout=linear:0:0.5, width=integer:8:64, "
        "batch_size=16|32, initializer=xavier|gaussian, augmentation=0.5"
    )
    assert read_space(text) == SPACE


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"droput": 0.5}, "droput cannot be searched; did you mean dropout"),
        ({"momentum": 0.5}, "momentum cannot be searched; known are learning_rate, l2, dropout"),
        ({"dropout": {"linear": [0.5, 0.1]}}, "the range dropout = \\[0.5, 0.1\\] is not one"),
        ({"dropout": {"linear": [0, 1.5]}}, "is not allowed: dropout takes numbers from 0 to 0.99"),
        ({"dropout": {"linaer": [0, 0.5]}}, "write one of log, linear or integer"),
        ({"dropout": {"linear": [0]}}, "with its lowest and highest value"),
        ({"dropout": {"linear": ["a", "b"]}}, "numbers are expected"),
        ({"width": {"integer": [8, 64.5]}}, "whole numbers are expected"),
        ({"batch_size": [16.5]}, "is not allowed: batch_size takes whole numbers from 1"),
        ({"batch_size": {"linear": [1.0, 2.0]}}, "is not allowed: batch_size takes whole numbers"),
        ({"batch_norm": ["here"]}, "batch_norm takes convolutions or blocks or dense or none"),
        ({"l2": {"log": [0, 1]}}, "give two finite numbers above 0"),
        ({"l2": [1e-3, math.inf]}, "is not allowed: l2 takes numbers from 0"),
        ("learning_rate=inf", "is not allowed: learning_rate takes numbers from"),
        ({"l2": [True]}, "choices are numbers or words"),
        ({"l2": []}, "give at least one"),
        ({}, "write a table, or text such as"),
        ("dropout", "is not allowed: dropout takes numbers"),
        (7, "write a table, or text such as"),
    ],
)
def test_what_is_no_space_is_refused_with_what_is_wrong(given, said):
    with pytest.raises(ValueError, match=said):
        read_space(given)


def test_the_box_of_no_space_is_the_papers():
    assert box_of({}) == FIRST_BOX


def test_the_order_of_a_box_is_that_of_the_list_whatever_the_order_of_the_space():
    found = box_of({each.name: each for each in reversed(SPACE)})
    assert found.names == ("learning_rate", "l2", "dropout", "batch_size", "initializer", "width", "augmentation")
    assert list(PARAMETERS)[:2] == ["learning_rate", "l2"]
    assert found.ranges[1] == FIRST_BOX.ranges[1]


def test_tables_show_logarithms_of_learning_rate_and_l2_alone():
    names = ("learning_rate", "l2", "dropout", "any_other")
    assert [parameter_of(name).heading for name in names] == [
        "log10(learning rate)", "log10(L2)", "dropout", "any other"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "found", "shown"),
    [
        ("learning_rate", 1e-4, -4.0, "-4.000"), ("learning_rate", 1, 0.0, "0.000"), ("l2", 0, -math.inf, "-inf"),
        ("dropout", 0.23456, 0.23456, "0.235"), ("dropout", 0, 0, "0"), ("batch_size", 4096, 4096, "4096"),
        ("batch_norm", "none", "none", "none"), ("other", 12345, 12345, "12345"), ("other", "x", "x", "x"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_its_column_has_it(name, value, found, shown):
    assert parameter_of(name).in_table(value) == found
    assert parameter_of(name).shown(value) == shown


def test_parameters_are_named_as_people_write_them_also_unknown_ones():
    names = ("learning_rate", "l2", "batch_size", "batch_norm", "augment_strength")
    assert list(map(name_of, names)) == ["learning rate", "L2", "batch size", "batch norm", "augment strength"]
