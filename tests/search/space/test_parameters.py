import math

import pytest

from search.space.parameters import parameter_for, read_space, table_of, written
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange

SPACE = (
    LogRange("learning_rate", 1e-5, 1e-2),
    LinearRange("dropout", 0, 0.5),
    LinearRange("momentum", 0.5, 1.0, step=0.25),
    IntegerRange("width", 8, 64),
    IntegerRange("depth", 2, 10, step=4),
    IntegerRange("trees", 1, 512, log=True),
    Choices("batch_size", (16, 32)),
    Choices("initializer", ("xavier", "gaussian")),
    Choices("bias", (True, False)),
    Choices("augmentation", (0.5,)),
)
TABLE = {
    "learning_rate": {"log": [1e-5, 1e-2]},
    "dropout": {"linear": [0, 0.5]},
    "momentum": {"linear": [0.5, 1.0], "step": 0.25},
    "width": {"integer": [8, 64]},
    "depth": {"integer": [2, 10], "step": 4},
    "trees": {"integer": [1, 512], "log": True},
    "batch_size": [16, 32],
    "initializer": ["xavier", "gaussian"],
    "bias": [True, False],
    "augmentation": [0.5],
}


def test_a_space_is_read_from_a_table_and_written_into_one():
    assert read_space(TABLE) == SPACE
    assert {searched.name: table_of(searched) for searched in SPACE} == TABLE


def test_a_single_value_is_fixed():
    assert read_space({"augmentation": 0.5}) == (Choices("augmentation", (0.5,)),)


def test_a_space_is_read_from_text_and_written_as_text():
    text = (
        "learning_rate=log:1e-5:1e-2, dropout=linear:0:0.5, momentum=linear:0.5:1.0:0.25, width=integer:8:64, "
        "depth=integer:2:10:4, trees=integer:1:512:log, batch_size=16|32, initializer=xavier|gaussian, "
        "bias=true|false, augmentation=0.5"
    )
    assert read_space(text) == SPACE
    assert read_space(",".join(f"{searched.name}={written(searched)}" for searched in SPACE)) == SPACE


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dropout": {"linear": [0.5, 0.1]}}, "the range dropout = \\[0.5, 0.1\\] is not one"),
        ({"dropout": {"linaer": [0, 0.5]}}, "write one of log, linear or integer"),
        ({"dropout": {"linear": [0]}}, "with its lowest and highest value"),
        ({"dropout": {"linear": ["a", "b"]}}, "numbers are expected"),
        ({"width": {"integer": [8, 64.5]}}, "whole numbers are expected"),
        ({"width": {"integer": [8, 64], "step": 0.5}}, "whole numbers are expected"),
        ({"width": {"integer": [8, 64], "step": 10}}, "width = \\[8, 64\\] does not go in steps of 10"),
        ({"width": {"integer": [0, 64], "log": True}}, "cannot be logarithmic"),
        ({"width": {"integer": [1, 64], "log": 1}}, "has log = 1; write true or false"),
        ({"l2": {"log": [1e-3, 1], "step": 1e-3}}, "write one of log, linear or integer"),
        ({"l2": {"log": [0, 1]}}, "give two finite numbers above 0"),
        ({"l2": [None]}, "choices are numbers, words, true or false"),
        ({"l2": []}, "give at least one"),
        ({}, "write a table, or text such as"),
        (7, "write a table, or text such as"),
    ],
)
def test_what_is_no_space_is_refused_with_what_is_wrong(given, said):
    with pytest.raises(ValueError, match=said):
        read_space(given)


def test_true_is_not_1_among_choices():
    both = Choices("bias", (True, 1))
    assert (both.holds(1), Choices("bias", (True,)).holds(1)) == (True, False)


def test_tables_show_the_logarithm_of_a_logarithmic_range():
    headings = [parameter_for(searched).heading for searched in (SPACE[0], SPACE[1], SPACE[3], SPACE[-1])]
    assert headings == ["log10(learning_rate)", "dropout", "width", "augmentation"]
    assert parameter_for(SPACE[0]).shown(1e-4) == "-4.000"


@pytest.mark.parametrize("searched", [one for one in SPACE if not isinstance(one, Choices)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.49, 0.5, 0.77, 0.999999])
def test_a_share_gives_a_value_of_the_range_whose_own_share_gives_it_again(searched, share):
    value = searched.at(share)
    assert searched.holds(value)
    assert searched.at(searched.share(value)) == pytest.approx(value)


def test_whole_numbers_of_a_logarithmic_range_are_as_likely_as_their_logarithms_say():
    trees = IntegerRange("trees", 1, 512, log=True)
    drawn = [trees.at((place + 0.5) / 10_000) for place in range(10_000)]
    below_ten = sum(value < 10 for value in drawn) / len(drawn)
    assert below_ten == pytest.approx(math.log(9.5 / 0.5) / math.log(512.5 / 0.5), abs=1e-3)
    assert {1, 512} <= set(drawn)


def test_every_step_of_a_range_is_as_likely_as_the_others():
    depth = IntegerRange("depth", 2, 10, step=4)
    drawn = [depth.at((place + 0.5) / 300) for place in range(300)]
    assert {value: drawn.count(value) for value in sorted(set(drawn))} == {2: 100, 6: 100, 10: 100}
