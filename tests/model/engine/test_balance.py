"""The weights of the images in a balanced loss."""

import numpy as np
import pytest

from model.engine.balance import balancing_weights


def test_an_age_that_is_four_times_as_rare_counts_twice_as_much() -> None:
    weights = balancing_weights(np.array([20] * 8 + [60] * 2, np.float32))
    assert weights[-1] / weights[0] == pytest.approx(2)
    assert len({float(weight) for weight in weights}) == 2


def test_the_weights_are_1_in_the_mean_and_one_for_each_label() -> None:
    labels = np.random.default_rng(0).integers(1, 81, 300).astype(np.float32)
    weights = balancing_weights(labels)
    assert weights.mean() == pytest.approx(1)
    assert (weights.shape, weights.dtype) == ((300,), np.float32)


def test_a_rare_age_among_frequent_ones_is_not_taken_for_a_rare_one() -> None:
    labels = np.array([29] * 50 + [30] + [31] * 50 + [70], np.float32)
    weights = balancing_weights(labels)
    assert weights[50] < weights[-1] / 3


@pytest.mark.parametrize(("factor", "offset"), [(1 / 80, 0.0), (1000.0, -5000.0)])
def test_the_unit_of_the_labels_is_no_matter(factor: float, offset: float) -> None:
    ages = np.random.default_rng(1).gamma(3, 10, 400).astype(np.float32)
    expected = balancing_weights(ages)
    assert expected.max() > 2 * expected.min()
    assert balancing_weights(ages * np.float32(factor) + np.float32(offset)) == pytest.approx(expected, rel=0.05)


def test_labels_that_are_all_different_are_counted_with_their_neighbours() -> None:
    labels = np.concatenate([np.linspace(0, 1, 50_000), np.linspace(2, 3, 500)]).astype(np.float32)
    weights = balancing_weights(labels)
    assert weights[50_250] / weights[25_000] == pytest.approx(10, rel=0.01)


def test_equally_frequent_ages_count_alike() -> None:
    assert balancing_weights(np.full(5, 30, np.float32)) == pytest.approx(1)
