"""The penalty: which weights it counts, and that its gradient is that of what it counts."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from model.engine.penalty import penalised_sum, penalty_gradient
from model.network.initializers import initial_weights
from model.network.layers import BatchNorm, Conv2D, Dense, Flatten
from model.network.network import Network, Regularizer

NETWORK = Network((Conv2D(2, batch_norm=True), BatchNorm(), Flatten(), Dense(3), Dense(1)), (6, 6, 1))
WEIGHTS = [each + np.float32(0.5) for each in initial_weights(NETWORK, 1)]


@pytest.mark.parametrize(("regularizer", "power"), [("l2", 2), ("l1", 1)])
def test_the_sum_is_over_kernels_and_biases(regularizer: Regularizer, power: int) -> None:
    named = zip(NETWORK.weights, WEIGHTS, strict=True)
    counted = [array for spec, array in named if spec.name.endswith(("/kernel", "/bias"))]
    assert len(counted) == 6
    expected = sum(float(np.sum(np.abs(array.astype(np.float64)) ** power)) for array in counted)
    assert penalised_sum(replace(NETWORK, regularizer=regularizer), WEIGHTS) == pytest.approx(expected, rel=1e-12)


def test_without_regulariser_the_sum_is_0() -> None:
    assert penalised_sum(replace(NETWORK, regularizer="none"), WEIGHTS) == 0


@pytest.mark.parametrize("regularizer", ["l2", "l1", "none"])
def test_the_gradient_is_that_of_the_coefficient_times_the_sum(regularizer: Regularizer) -> None:
    network, step = replace(NETWORK, regularizer=regularizer), np.float32(2**-8)
    found = penalty_gradient(regularizer, tf.constant(WEIGHTS[0]), tf.constant(3.0)).numpy()
    above, below = ([WEIGHTS[0] + sign * step, *WEIGHTS[1:]] for sign in (1, -1))
    slope = 3 * (penalised_sum(network, above) - penalised_sum(network, below)) / (2 * step)
    assert found.sum() == pytest.approx(slope, rel=1e-5)
    assert found.shape == WEIGHTS[0].shape
