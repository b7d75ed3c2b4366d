"""A first convolution that comes normalised: its moments, values and gradients against the long way round."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from model.engine.forward import TrainingPass
from model.engine.normalized_convolution import has_small_patches, patch_moments
from model.engine.operations import operations
from model.network.layers import BATCH_NORM_EPSILON, Conv2D, Dense, Flatten
from model.network.network import Network

IMAGES = np.random.default_rng(5).uniform(size=(6, 11, 10, 2)).astype(np.float32)
LAYERS = [Conv2D(73, size, padding, "linear", True) for size in ((3, 2), (4, 3)) for padding in ("valid", "same")]


def test_moments_are_the_mean_and_the_covariance_of_all_patches() -> None:
    patches = tf.image.extract_patches(IMAGES, (1, 3, 2, 1), (1, 1, 1, 1), (1, 1, 1, 1), "VALID")
    rows = patches.numpy().reshape(-1, 12)
    found = patch_moments(tf.constant(IMAGES), (3, 2))
    assert found.mean.numpy() == pytest.approx(rows.mean(axis=0), rel=1e-5)
    assert found.covariance.numpy() == pytest.approx(np.cov(rows.T, bias=True), rel=1e-3, abs=1e-6)


def test_no_variance_is_below_0_where_large_kernels_answer_all_patches_alike() -> None:
    # Second differences of ramps are 0, but rounding leaves something of both signs.
    ramps = np.broadcast_to(np.linspace(-0.5, 0.5, 91, dtype=np.float32)[:, np.newaxis], (4, 91, 91, 1))
    kernels = np.outer([1, -2, 1], np.linspace(1e3, 1e5, 50)).reshape(1, 3, 1, 50).astype(np.float32)
    variances = patch_moments(tf.constant(ramps), (1, 3)).variance_under(tf.constant(kernels)).numpy()
    assert np.all(variances >= 0)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_values_and_gradients_are_those_of_a_convolution_that_is_normalised_afterwards(layer: Conv2D) -> None:
    network = Network((layer, Flatten(), Dense(1, "linear")), IMAGES.shape[1:])
    stream = np.random.default_rng(7)
    weights = [tf.constant(stream.normal(size=spec.shape), tf.float32) for spec in network.weights]
    kernel, bias, gamma, beta, _, _, dense, last = weights

    def long_way() -> tf.Tensor:
        outputs = tf.nn.conv2d(IMAGES, kernel, layer.stride, layer.padding.upper()) + bias
        mean, variance = tf.nn.moments(outputs, (0, 1, 2))
        outputs = tf.nn.batch_normalization(outputs, mean, variance, beta, gamma, BATCH_NORM_EPSILON)
        return (tf.reshape(outputs, (len(IMAGES), -1)) @ dense + last)[:, 0]

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(weights)
        expected, found = long_way(), TrainingPass(weights, tf.float32, [0, 0]).predict(operations(network), IMAGES)
        losses = [tf.tensordot(answers, tf.linspace(-1.0, 2.0, 6), 1) for answers in (expected, found)]
    assert has_small_patches(operations(network)[0], weights)
    assert found.numpy() == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-4)
    for wanted, gradient in zip(*(tape.gradient(loss, [kernel, gamma, beta]) for loss in losses), strict=True):
        assert np.abs(wanted).max() > 0.1
        assert gradient.numpy() == pytest.approx(wanted.numpy(), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("layer", "small"),
    [(Conv2D(27), False), (Conv2D(28), True), (Conv2D(28, stride=2), False), (Conv2D(64, 5), False)],
)
def test_patches_are_small_where_they_have_less_than_a_third_of_the_values_that_they_get(
    layer: Conv2D, small: bool
) -> None:
    network = Network((replace(layer, batch_norm=True), Flatten(), Dense(1, "linear")), (5, 5, 1))
    weights = [tf.zeros(spec.shape) for spec in network.weights]
    assert has_small_patches(operations(network)[0], weights) is small
