"""Labels as distributions: the values, the shares a network starts at, and what it is told it should have answered."""

import numpy as np
import pytest
import tensorflow as tf

from model.arrays import Examples
from model.engine.engine import Engine, Hyperparameters
from model.engine.label_distribution import SPREAD, balancing_weights, cross_entropy, prior, support
from model.engine.setup import Setup
from model.network.layers import Dense, Expectation, Flatten
from model.network.network import Network

VALUES = np.arange(1, 81, dtype=np.float32)


def of_distributions(rng_seed: int = 0) -> Engine:
    stream = np.random.default_rng(rng_seed)
    labels = stream.integers(1, 81, 64).astype(np.float32)
    images = np.broadcast_to(labels[:, None, None, None] * 3, (64, 4, 4, 1)).astype(np.uint8)
    network = Network((Flatten(), Dense(40, "softmax"), Expectation()), (4, 4, 1))
    engine = Engine(network, Examples(images, labels), Setup(16, 0.9, "float32", decay=0.1))
    engine.reset(3)
    return engine


def test_the_values_are_spread_evenly_from_below_the_smallest_label_to_beyond_the_largest() -> None:
    assert support(np.array([80, 1, 30], np.float32), 92) == pytest.approx(np.arange(-5, 87))
    assert support(np.array([-0.5, 0.5], np.float32), 14).tolist() == [-6.5 + each for each in range(14)]


def test_even_the_smallest_label_is_the_mean_of_its_own_distribution() -> None:
    values = support(np.array([80, 1, 30], np.float32), 92)
    own = tf.nn.softmax(-0.5 * tf.square((values - 1) / SPREAD))
    assert np.sum(own * values) == pytest.approx(1, abs=0.03)


def test_the_shares_start_at_those_of_the_labels_and_none_at_nothing() -> None:
    start = prior(np.array([1, 1, 1, 3.2], np.float32), np.array([1, 2, 3], np.float32))
    assert np.exp(start) == pytest.approx(np.array([4, 1, 2]) / 7)


@pytest.mark.parametrize("shift", [-4, 4])
def test_shares_around_the_label_surprise_less_than_shares_around_another_value(shift: int) -> None:
    def around(value: float) -> tf.Tensor:
        return tf.nn.softmax(-0.5 * tf.square((VALUES[None] - value) / 2))

    label = tf.constant([40.0])
    assert cross_entropy(around(40), label, VALUES).numpy() < cross_entropy(around(40 + shift), label, VALUES).numpy()


def test_the_distance_between_the_values_is_no_matter() -> None:
    shares = tf.nn.softmax(np.random.default_rng(0).normal(size=(5, 80)).astype(np.float32))
    label = np.array([3, 20, 41, 60, 79], np.float32)
    wide = cross_entropy(shares, label * 10, VALUES * 10)
    assert cross_entropy(shares, label, VALUES).numpy() == pytest.approx(wide.numpy(), rel=1e-5)


def test_labels_that_are_all_the_same_surprise_finitely() -> None:
    same = np.full(3, 5, np.float32)
    assert np.isfinite(cross_entropy(tf.fill((3, 16), 1 / 16), same, support(same, 16)).numpy()).all()


def test_a_network_of_distributions_starts_at_the_mean_label_and_learns_without_moving_its_values() -> None:
    engine = of_distributions()
    labels, images = engine._labels.numpy(), engine._images.numpy()
    values = support(labels, 40)
    engine._weights[0].assign(tf.zeros_like(engine._weights[0]))
    assert engine.predict(images) == pytest.approx(np.full(64, np.exp(prior(labels, values)) @ values), rel=1e-4)
    before = float(np.abs(engine.predict(images) - labels).mean())
    order = np.arange(64, dtype=np.int32)
    for _ in range(60):
        engine.train(order, Hyperparameters(0.05, 1e-4))
    assert float(np.abs(engine.predict(images) - labels).mean()) < before / 3
    assert engine.weights[-1][:, 0] == pytest.approx(values)
    assert engine.penalised_sum() < 1e4  # the values, up to 80, are no part of it


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
