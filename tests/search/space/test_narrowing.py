import math
from itertools import starmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.space.box import Box
from search.space.narrowing import FinishedTrial, Narrowing, explain, narrow, override
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange
from search.storage.documents import from_json, to_json
from search.tasks.images.parameters import FIRST_BOX


def trial(slot, value, learning_rate=1e-4, l2=1e-4):
    return FinishedTrial(slot, slot, value, {"learning_rate": learning_rate, "l2": l2})


def test_the_papers_first_stage_can_give_the_papers_second_box():
    good = [trial(slot, 27 + slot / 10, 2e-5 * 1.5**slot, 9e-4 / 1.5**slot) for slot in range(10)]
    bad = [trial(slot, 40, 1e-6, 9.0) for slot in range(10, 50)]
    new = Box((LogRange("learning_rate", 1e-5, 1e-3), LogRange("l2", 1e-5, 1e-3)))
    assert narrow(FIRST_BOX, good + bad).new == new


def test_of_a_small_stage_the_better_half_counts():
    narrowing = narrow(FIRST_BOX, [trial(slot, 30 - slot) for slot in range(7)])
    assert [each.slot for each in narrowing.best] == [6, 5, 4]


def test_of_three_trials_two_count():
    assert len(narrow(FIRST_BOX, [trial(slot, slot) for slot in range(3)]).best) == 2


def test_a_tie_goes_to_the_lower_slot():
    trials = [trial(slot, 5.0) for slot in (3, 0, 2, 1)]
    assert [each.slot for each in narrow(FIRST_BOX, trials).best] == [0, 1]


@pytest.mark.parametrize("trials", [[], [trial(0, 1.0)]])
def test_with_fewer_than_two_trials_the_box_stays_and_says_so(trials):
    narrowing = narrow(FIRST_BOX, trials)
    assert narrowing.new == FIRST_BOX
    assert narrowing.reason.startswith(f"the box stays: {len(trials)} of its trials finished")


def test_trials_on_one_power_of_ten_keep_a_decade_to_either_side():
    new = narrow(FIRST_BOX, [trial(0, 1.0), trial(1, 1.0)]).new
    assert new.ranges[0] == LogRange("learning_rate", 1e-5, 1e-3)


def other(slot, value, **params):
    return FinishedTrial(slot, slot, value, params)


def test_a_linear_range_is_narrowed_to_whole_tenths_of_itself():
    box = Box((LinearRange("dropout", 0.0, 0.5),))
    narrowing = narrow(box, [other(0, 1.0, dropout=0.12), other(1, 2.0, dropout=0.31), other(2, 3.0, dropout=0.5)])
    assert narrowing.new == Box((LinearRange("dropout", 0.1, 0.35),))
    assert "span dropout 0.12 to 0.31" in narrowing.reason


def test_values_on_one_mark_keep_a_tenth_to_either_side():
    trials = [other(slot, slot, dropout=0.25, width=10) for slot in range(2)]
    new = narrow(Box((LinearRange("dropout", 0.0, 0.5), IntegerRange("width", 0, 100))), trials).new
    assert new == Box((LinearRange("dropout", 0.2, 0.3), IntegerRange("width", 0, 20)))


def test_a_range_of_whole_numbers_is_narrowed_outwards_to_whole_numbers():
    trials = [other(0, 1.0, width=13), other(1, 2.0, width=22)]
    assert narrow(Box((IntegerRange("width", 8, 33),)), trials).new == Box((IntegerRange("width", 13, 23),))


def test_choices_stay():
    box = Box((Choices("batch_size", (16, 32, 64)), Choices("initializer", ("xavier", "gaussian"))))
    trials = [other(slot, slot, batch_size=size, initializer="xavier") for slot, size in enumerate((32, 16, 32))]
    narrowing = narrow(box, trials)
    assert narrowing.new == box
    assert "span batch_size 16 | 32, initializer xavier" in narrowing.reason
    assert "batch_size 32, initializer xavier" in explain(narrowing)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40), st.floats(-5, 5), st.floats(1e-3, 9)
)
def test_a_narrowed_linear_range_holds_the_best_trials_and_lies_in_the_old_one(points, low, width):
    box = Box((LinearRange("a", low, low + width), IntegerRange("b", 3, 17)))
    trials = [other(slot, slot, **box.at(point)) for slot, point in enumerate(points)]
    narrowing = narrow(box, trials)
    for old, new in zip(box.ranges, narrowing.new.ranges, strict=True):
        values = [each.params[new.name] for each in narrowing.best]
        assert old.low <= new.low <= min(values) <= max(values) <= new.high <= old.high


EXPONENTS = st.tuples(st.floats(-6, -3), st.floats(-6, 1))


@given(st.lists(EXPONENTS, min_size=2, max_size=40))
def test_the_new_box_holds_the_best_trials_lies_in_the_old_one_and_has_whole_decades(exponents):
    points = [FIRST_BOX.at([(rate + 6) / 3, (l2 + 6) / 7]) for rate, l2 in exponents]
    narrowing = narrow(FIRST_BOX, [trial(slot, slot, *point.values()) for slot, point in enumerate(points)])
    for old, new in zip(FIRST_BOX.ranges, narrowing.new.ranges, strict=True):
        values = [each.params[new.name] for each in narrowing.best]
        assert old.low <= new.low <= min(values) <= max(values) <= new.high <= old.high
        assert all(bound == float(f"{bound:.0e}") and math.log10(bound) % 1 == 0 for bound in (new.low, new.high))


@given(st.lists(st.tuples(st.floats(1, 50), st.floats(1e-6, 1e-3), st.floats(1e-6, 10)), max_size=30), st.randoms())
def test_the_order_in_which_trials_finished_does_not_matter(measured, dice):
    trials = list(starmap(trial, enumerate(map(sum, measured))))
    shuffled = dice.sample(trials, len(trials))
    assert narrow(FIRST_BOX, shuffled) == narrow(FIRST_BOX, trials)


def test_a_box_between_decades_is_never_left():
    box = Box((LogRange("learning_rate", 2e-5, 5e-5), LogRange("l2", 3e-3, 2e-2)))
    assert narrow(box, [trial(slot, slot, 3e-5, 5e-3) for slot in range(4)]).new == Box(
        (LogRange("learning_rate", 2e-5, 5e-5), LogRange("l2", 3e-3, 1e-2))
    )


def test_a_given_box_is_recorded_as_given():
    box = Box((LogRange("learning_rate", 2e-5, 5e-5), LogRange("l2", 3e-3, 2e-2)))
    narrowing = override(FIRST_BOX, box)
    assert (narrowing.new, narrowing.best) == (box, ())
    assert "given" in narrowing.rule


def test_the_explanation_names_both_boxes_the_rule_the_reason_and_the_trials():
    narrowing = narrow(FIRST_BOX, [trial(slot, 20 + slot, 3e-5, 5e-3) for slot in range(4)])
    assert explain(narrowing).splitlines() == [
        "from   learning_rate [1e-06, 0.001], l2 [1e-06, 10]",
        "to     learning_rate [1e-05, 0.0001], l2 [0.001, 0.01]",
        f"rule   {narrowing.rule}",
        "reason the 2 best of 4 finished trials span learning_rate 3e-05 to 3e-05, l2 0.005 to 0.005",
        "       trial 0 (slot 0): score 20.000, learning_rate 3e-05, l2 0.005",
        "       trial 1 (slot 1): score 21.000, learning_rate 3e-05, l2 0.005",
    ]


def test_a_narrowing_survives_being_written_as_json():
    narrowing = narrow(FIRST_BOX, [trial(slot, 20 + slot / 3) for slot in range(4)])
    assert from_json(Narrowing, to_json(narrowing)) == narrowing


def test_trials_without_a_score_count_for_how_many_are_the_best_half_and_are_never_among_them():
    few = [trial(slot, 20 + slot) for slot in range(6)]
    assert len(narrow(FIRST_BOX, few).best) == 3
    narrowing = narrow(FIRST_BOX, few, without=5)
    assert [each.slot for each in narrowing.best] == [0, 1, 2, 3, 4]
    assert narrowing.reason.startswith("the 5 best of 11 finished trials span")
    assert narrowing.reason.endswith("; 5 of them have no score, as they were pruned or diverged")


def test_the_box_stays_where_too_few_trials_have_a_score_however_many_have_finished():
    narrowing = narrow(FIRST_BOX, [trial(0, 20)], without=9)
    assert narrowing.new == FIRST_BOX
    assert "the box stays: 1 of its trials finished with a value" in narrowing.reason
