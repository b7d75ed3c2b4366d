"""Errors by group, against numbers worked out by hand."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from model.errors import ModelError
from model.results.error_groups import MOST_GROUPS, by_label, by_prediction, edges
from tests.model.values import ages


def test_ages_from_1_to_80_fall_into_decades() -> None:
    assert edges(np.arange(1, 81, dtype=np.float32)).tolist() == list(range(0, 100, 10))


def test_labels_of_another_range_fall_into_round_groups() -> None:
    assert edges(ages(0.1, 0.36)).tolist() == [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
    assert edges(ages(-400, 900))[:2].tolist() == [-400, -200]


@given(some.lists(some.floats(-1e6, 1e6, width=32), min_size=1, max_size=20))
def test_there_are_at_most_ten_groups_and_they_hold_everything(values: list[float]) -> None:
    found = edges(np.array(values, np.float32))
    assert 2 <= len(found) <= MOST_GROUPS + 1
    assert (np.diff(found) > 0).all()
    groups = by_label(np.zeros(len(values), np.float32), np.array(values, np.float32))
    assert sum(group.count for group in groups) == len(values)


def test_each_group_has_the_figures_worked_out_by_hand() -> None:
    young, old = by_label(ages(11, 17, 75), ages(10, 19, 80))
    assert (young.name, young.count, young.mae, young.bias) == ("10–19", 2, 1.5, -0.5)
    assert young.standard_error == pytest.approx(0.5)
    assert young.bias_error == pytest.approx(3 / sqrt(2) / sqrt(2))
    assert (young.mean_label, young.mean_prediction) == (14.5, 14)
    assert (old.name, old.count, old.mae, old.bias) == ("80–89", 1, 5, -5)
    assert (old.standard_error, old.bias_error) == (None, None)


def test_groups_by_prediction_ask_what_predictions_turn_out_to_be() -> None:
    groups = by_prediction(ages(21, 23, 44), ages(35, 25, 40))
    assert [(group.mean_prediction, group.mean_label, group.count) for group in groups] == [(22, 30, 2), (44, 40, 1)]


def test_groups_of_predictions_are_named_by_their_bounds_unless_all_are_whole_numbers() -> None:
    labels = ages(10, 20, 30, 40)
    assert [group.name for group in by_prediction(ages(16.5, 23.9, 25, 30), labels)][:2] == ["16–18", "22–24"]
    assert [group.name for group in by_prediction(ages(16, 23, 25, 30), labels)][:2] == ["16–17", "22–23"]


def test_groups_of_fractions_are_named_by_their_bounds() -> None:
    assert [group.name for group in by_label(ages(0, 0), ages(0.1, 0.36))] == ["0.1–0.15", "0.35–0.4"]


def test_tenths_which_float32_does_not_hold_exactly_are_each_in_a_group_of_their_own() -> None:
    tenths = ages(*(number / 10 for number in range(10)))
    groups = by_label(tenths, tenths)
    assert [group.count for group in groups] == [1] * 10
    assert [group.name for group in groups][6:8] == ["0.6–0.7", "0.7–0.8"]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ((1_000_000, 2_000_000), ["1000000–1199999", "2000000–2199999"]),
        ((1_234_500.5, 1_234_509.5), ["1234500–1234501", "1234509–1234510"]),
        ((1e-9, 5e-9), ["1e-09–1.5e-09", "5e-09–5.5e-09"]),
    ],
)
def test_groups_of_very_large_and_very_small_values_are_told_apart(
    labels: tuple[float, float], names: list[str]
) -> None:
    assert [group.name for group in by_label(ages(0, 0), ages(*labels))] == names


def test_a_single_image_is_a_group() -> None:
    (only,) = by_label(ages(0), ages(7))
    assert (only.count, only.mae) == (1, 7)
    assert only.low <= 7 < only.high


@pytest.mark.parametrize(("predictions", "labels"), [(ages(1), ages(1, 2)), (ages(), ages())])
def test_predictions_that_do_not_fit_the_labels_are_refused(predictions: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"predictions are .* for labels of"):
        by_label(predictions, labels)


def test_whole_numbers_of_a_small_range_are_each_a_group_and_negative_ones_are_told_apart_by_a_word() -> None:
    def names(*labels: float) -> list[str]:
        return [group.name for group in by_label(np.zeros(len(labels), np.float32), np.array(labels, np.float32))]

    assert names(1, 2, 3, 4, 5) == ["1", "2", "3", "4", "5"]
    assert names(5, 5) == ["5"]
    assert names(-50, 30)[0] == "-50 to -41"
    assert names(-0.5, 0.25)[0] == "-0.5 to -0.4"
