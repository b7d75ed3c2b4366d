"""Starting weights: their distributions, and that a seed alone decides them."""

from math import sqrt

import numpy as np
import pytest

from model.errors import ModelError
from model.network.initializers import glorot_limit, initial_weights
from model.network.layers import GAUSSIAN_STDDEV, Conv2D, Dense, Flatten, Weigh
from model.network.network import Initializer, Network


def network(initializer: Initializer = "xavier") -> Network:
    return Network((Conv2D(64, 5, batch_norm=True), Weigh(), Flatten(), Dense(1)), (12, 12, 3), initializer=initializer)


def test_the_glorot_limit_of_a_convolution_counts_the_window_on_both_sides() -> None:
    assert glorot_limit((5, 5, 3, 64)) == sqrt(6 / (25 * 3 + 25 * 64))
    assert glorot_limit((256, 128)) == sqrt(6 / 384)


def test_xavier_kernels_are_uniform_within_the_limit() -> None:
    kernel = initial_weights(network(), 1)[0]
    limit = glorot_limit(kernel.shape)
    assert np.abs(kernel).max() <= np.float32(limit)
    assert np.abs(kernel).max() > 0.99 * limit
    assert kernel.std() == pytest.approx(limit / sqrt(3), rel=0.03)
    assert abs(kernel.mean()) < 0.05 * limit


def test_gaussian_kernels_are_normal_with_the_stated_deviation() -> None:
    kernel = initial_weights(network("gaussian"), 1)[0]
    assert kernel.std() == pytest.approx(GAUSSIAN_STDDEV, rel=0.04)
    assert np.mean(np.abs(kernel) < GAUSSIAN_STDDEV) == pytest.approx(0.683, abs=0.02)


def test_everything_but_kernels_starts_at_its_neutral_value() -> None:
    starts = {"bias": 0, "gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1, "factors": 1}
    drawn = zip(network().weights, initial_weights(network(), 1), strict=True)
    assert all(np.all(array == starts[spec.role]) for spec, array in drawn if spec.role != "kernel")


def test_arrays_are_float32_in_the_shapes_and_order_of_the_network() -> None:
    arrays = initial_weights(network(), 1)
    assert [array.shape for array in arrays] == [spec.shape for spec in network().weights]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_the_same_seed_draws_the_same_weights_and_another_seed_draws_others() -> None:
    first, again, other = (initial_weights(network(), seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.any(first[0] == other[0])


def test_two_kernels_of_one_shape_are_drawn_from_different_streams() -> None:
    twice = Network((Flatten(), Dense(9), Dense(9), Dense(1)), (3, 3, 1))
    kernels = initial_weights(twice, 1)[::2]
    assert not np.any(kernels[0] == kernels[1])


@pytest.mark.parametrize("seed", [-1, 1.0, True, None])
def test_a_seed_that_is_not_a_whole_number_is_refused(seed: int) -> None:
    with pytest.raises(ModelError, match=r"seed is .*; it must be a whole number of at least 0"):
        initial_weights(network(), seed)
