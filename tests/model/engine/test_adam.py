"""What the optimiser adds to Keras' Adam, with whose steps its own are compared in test_engine: weight decay."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from model.arrays import Examples
from model.engine.adam import penalised_sum, penalty_gradient
from model.engine.engine import Engine, Hyperparameters
from model.engine.setup import Setup
from model.network.initializers import initial_weights
from model.network.layers import BatchNorm, Conv2D, Dense, Flatten
from model.network.network import Network, Regularizer

NETWORK = Network((Conv2D(2, batch_norm=True), Flatten(), Dense(3), Dense(1, "linear")), (6, 6, 1))
SETUP = Setup(8, 0.9, "float32")


def test_decay_shrinks_every_kernel_by_the_rates_share_before_the_step_and_nothing_else(
    draw_examples: Callable[..., Examples],
) -> None:
    examples, rows, training = (
        draw_examples(8, shape=(6, 6, 1)),
        np.arange(8, dtype=np.int32),
        Hyperparameters(0.01, 0.0),
    )
    plain, decaying = (Engine(NETWORK, examples, setup) for setup in (SETUP, replace(SETUP, decay=0.5)))
    starts = []
    for engine in (plain, decaying):
        engine.reset(3, 30.0)
        starts.append(engine.weights)
        engine.train(rows, training)
    for spec, start, without, with_decay in zip(
        NETWORK.weights, starts[0], plain.weights, decaying.weights, strict=True
    ):
        expected = without - 0.01 * 0.5 * start if spec.role == "kernel" else without
        assert with_decay == pytest.approx(expected, abs=1e-6), spec.name


def test_decay_follows_the_schedule(draw_examples: Callable[..., Examples]) -> None:
    engine = Engine(NETWORK, draw_examples(16, shape=(6, 6, 1)), replace(SETUP, decay=0.5))
    engine.reset(3, 30.0)
    before = engine.weights
    engine.train(np.arange(16, dtype=np.int32), Hyperparameters(0.01, 0.0), np.zeros(2, np.float32))
    for spec, start, end in zip(NETWORK.weights, before, engine.weights, strict=True):
        assert not spec.trainable or np.array_equal(start, end), spec.name


PENALISED = Network((Conv2D(2, batch_norm=True), BatchNorm(), Flatten(), Dense(3), Dense(1)), (6, 6, 1))
WEIGHTS = [each + np.float32(0.5) for each in initial_weights(PENALISED, 1)]


@pytest.mark.parametrize(("regularizer", "power"), [("l2", 2), ("l1", 1)])
def test_the_sum_is_over_kernels_and_biases(regularizer: Regularizer, power: int) -> None:
    named = zip(PENALISED.weights, WEIGHTS, strict=True)
    counted = [array for spec, array in named if spec.name.endswith(("/kernel", "/bias"))]
    assert len(counted) == 6
    expected = sum(float(np.sum(np.abs(array.astype(np.float64)) ** power)) for array in counted)
    assert penalised_sum(replace(PENALISED, regularizer=regularizer), WEIGHTS) == pytest.approx(expected, rel=1e-12)


def test_without_regulariser_the_sum_is_0() -> None:
    assert penalised_sum(replace(PENALISED, regularizer="none"), WEIGHTS) == 0


@pytest.mark.parametrize("regularizer", ["l2", "l1", "none"])
def test_the_gradient_is_that_of_the_coefficient_times_the_sum(regularizer: Regularizer) -> None:
    network, step = replace(PENALISED, regularizer=regularizer), np.float32(2**-8)
    found = penalty_gradient(regularizer, tf.constant(WEIGHTS[0]), tf.constant(3.0)).numpy()
    above, below = ([WEIGHTS[0] + sign * step, *WEIGHTS[1:]] for sign in (1, -1))
    slope = 3 * (penalised_sum(network, above) - penalised_sum(network, below)) / (2 * step)
    assert found.sum() == pytest.approx(slope, rel=1e-5)
    assert found.shape == WEIGHTS[0].shape
