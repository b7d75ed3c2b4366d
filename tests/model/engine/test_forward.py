"""The forward pass against stock Keras layers with the same weights: outputs and batch statistics; and dropout."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model.engine.forward import TrainingPass, folded, inference, scaled
from model.engine.operations import Operation, operations
from model.network.initializers import Weights, initial_weights
from model.network.layers import (
    Add,
    AveragePool,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Expectation,
    Flatten,
    Layer,
    MaxPool,
    Skip,
    Weigh,
)
from model.network.network import Network
from model.results.age_model import AgeModel

SHAPE = (12, 12, 1)
END = (Flatten(), Dense(1, "linear"))
SEED = tf.constant([5, 0])
NETWORKS = {
    "dense alone": Network(END, SHAPE),
    "convolution": Network((Conv2D(3, (3, 2)), *END), SHAPE),
    "same padding": Network((Conv2D(3, (2, 3), "same"), *END), SHAPE),
    "strides": Network((Conv2D(3, stride=3), Conv2D(3, 2, "same", stride=2), *END), (12, 11, 1)),
    "colour images": Network((Conv2D(3), *END), (12, 11, 3)),
    "tanh and softmax maps": Network((Conv2D(3, activation="tanh"), Conv2D(4, activation="softmax"), *END), SHAPE),
    "relu and max pool": Network((Conv2D(3), MaxPool(3), MaxPool(), *END), SHAPE),
    "tanh and max pool": Network((Conv2D(3, activation="tanh"), MaxPool(), *END), SHAPE),
    "relu and average pool": Network((Conv2D(3), AveragePool(3), *END), SHAPE),
    "windows that are not square": Network((Conv2D(3), MaxPool((1, 2)), AveragePool((3, 1)), *END), SHAPE),
    "normalised convolution": Network((Conv2D(3, batch_norm=True), MaxPool(), *END), SHAPE),
    "normalised sigmoid maps": Network((Conv2D(3, activation="sigmoid", batch_norm=True), *END), SHAPE),
    "normalisation of its own on maps": Network((Conv2D(3), BatchNorm(), MaxPool(), *END), SHAPE),
    "normalisation of the images": Network((BatchNorm(), *END), SHAPE),
    "normalisation of its own on a row": Network((Flatten(), Dense(5, "tanh"), BatchNorm(), Dense(1, "linear")), SHAPE),
    "normalised dense layer": Network((Flatten(), Dense(4, "sigmoid", batch_norm=True), Dense(1, "relu")), SHAPE),
    "normalised output": Network((Flatten(), Dense(3, "softmax"), Dense(1, "linear", batch_norm=True)), SHAPE),
    "weighed maps and a weighed row": Network(
        (Conv2D(3), Weigh(), AveragePool(10), Flatten(), Weigh(), Dense(1)), SHAPE
    ),
    "expectation": Network((Flatten(), Dense(16, "softmax"), Expectation()), SHAPE),
    "residual blocks": Network(
        (
            Conv2D(3, batch_norm=True),
            Skip(),
            Conv2D(3, 3, "same", batch_norm=True),
            Conv2D(3, 1, activation="linear", batch_norm=True),
            Add(),
            MaxPool(),
            Flatten(),
            Dense(4, "tanh"),
            Skip(),
            Dense(4, "sigmoid"),
            Add(),
            Dense(1, "linear"),
        ),
        SHAPE,
    ),
    "a sum of equals": Network((Conv2D(3), BatchNorm(), Skip(), Dropout(0.0), Add(), *END), SHAPE),
    "images that skip a convolution": Network((Skip(), Conv2D(1, 3, "same"), Add(), *END), SHAPE),
    "a row flattened again": Network((Flatten(), *END), SHAPE),
    "everything": Network(
        (
            Conv2D(3, 3, "same", "tanh"),
            MaxPool(),
            Conv2D(4, 2, batch_norm=True),
            BatchNorm(),
            AveragePool(),
            Flatten(),
            Dense(4, "sigmoid", batch_norm=True),
            Dense(3, "softmax"),
            Dense(1, "linear"),
        ),
        SHAPE,
    ),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return NETWORKS[request.param]


def scrambled(network: Network) -> Weights:
    """Draw weights of which none is at its neutral value, biases before a normalisation among them."""
    stream = np.random.default_rng(4)
    others = (stream.uniform(0.2, 0.9, spec.shape).astype(np.float32) for spec in network.weights)
    drawn = zip(network.weights, initial_weights(network, 4), others, strict=True)
    return [kernel * 3 if spec.role == "kernel" else other for spec, kernel, other in drawn]


def images(shape: tuple[int, int, int], count: int = 7) -> np.ndarray:
    """Draw images from dark to bright, so that a network's answers to them lie apart."""
    brightest = np.linspace(20, 256, count).astype(int).reshape(-1, 1, 1, 1)
    return np.random.default_rng(3).integers(0, brightest, (count, *shape), dtype=np.uint8)


def training_pass(network: Network, dtype: tf.DType = tf.float32) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    run = TrainingPass([tf.constant(weight) for weight in scrambled(network)], dtype, SEED)
    predictions = run.predict(operations(network), scaled(images(network.input_shape))).numpy()
    return predictions, {index: value.numpy() for index, value in run.statistics.items()}


def inferred(network: Network, dtype: tf.DType = tf.float32) -> np.ndarray:
    found = operations(network)
    parameters = folded(found, [tf.constant(weight) for weight in scrambled(network)])
    answers: np.ndarray = inference(found, parameters, images(network.input_shape), dtype).numpy()
    return answers


def keras_model(network: Network) -> Any:
    model = AgeModel(network).build(rescale=True, momentum=0.0)
    model.set_weights(scrambled(network))
    return model


def test_training_predictions_and_batch_statistics_are_those_of_keras(network: Network) -> None:
    model = keras_model(network)
    expected = model(images(network.input_shape).astype(np.float32), training=True).numpy()[:, 0]
    assert np.ptp(expected) > 1e-3
    predictions, statistics = training_pass(network)
    assert predictions == pytest.approx(expected, rel=1e-4, abs=1e-5)
    # With a momentum of 0 Keras' moving statistics are the batch's own.
    moving = {i: model.weights[i].numpy() for i, spec in enumerate(network.weights) if spec.role.startswith("moving")}
    assert statistics.keys() == moving.keys()
    for index, value in moving.items():
        assert statistics[index] == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_predictions_by_the_folded_weights_are_those_of_keras(network: Network) -> None:
    expected = keras_model(network)(images(network.input_shape).astype(np.float32), training=False).numpy()[:, 0]
    assert np.ptp(expected) > 1e-3
    assert inferred(network) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_bfloat16_convolutions_come_close_to_float32(network: Network) -> None:
    exact, exact_statistics = training_pass(network)
    rounded, statistics = training_pass(network, tf.bfloat16)
    assert rounded.dtype == np.float32
    assert far(rounded, exact) < 0.05
    for index, value in exact_statistics.items():
        assert far(statistics[index], value) < 0.05
    # A processor that only emulates bfloat16 rounds its partial sums as well.
    assert far(inferred(network, tf.bfloat16), inferred(network)) < 0.07


@pytest.mark.parametrize(
    "first",
    [
        (Conv2D(4, batch_norm=True),),  # done as it is
        (Conv2D(32, batch_norm=True),),  # done with its normalisation
        (BatchNorm(), Conv2D(4)),
        (MaxPool(), Conv2D(4, batch_norm=True)),
    ],
)
def test_bfloat16_keeps_what_little_contrast_bright_images_have(first: tuple[Layer, ...]) -> None:
    network = Network((*first, *END), SHAPE)
    weights = [tf.constant(weight) for weight in initial_weights(network, 4)]
    faint = scaled(np.random.default_rng(3).integers(219, 222, (7, *SHAPE), dtype=np.uint8))

    def answers(dtype: tf.DType) -> tuple[np.ndarray, np.ndarray]:
        run = TrainingPass(weights, dtype, SEED)
        trained = run.predict(operations(network), faint).numpy()
        moved = [run.statistics.get(index, weight) for index, weight in enumerate(weights)]
        parameters = folded(operations(network), moved)
        return trained, inference(
            operations(network), parameters, np.round(faint * 255).astype(np.uint8), dtype
        ).numpy()

    for rounded, exact in zip(answers(tf.bfloat16), answers(tf.float32), strict=True):
        assert np.abs(rounded - exact).max() < 0.05 * np.ptp(exact)


def far(rounded: np.ndarray, exact: np.ndarray) -> float:
    """Return the largest difference, in units of the largest value."""
    return float(np.abs(rounded - exact).max() / np.abs(exact).max())


def dropped(*found: Operation, seed: tuple[int, int] = (5, 0), dtype: tf.DType = tf.float32) -> np.ndarray:
    """Send 20,000 ones through `found` in training."""
    ones = np.ones((20_000, 1, 1, 1), np.float32)
    answers: np.ndarray = TrainingPass([], dtype, tf.constant(seed)).predict((Flatten(), *found), ones).numpy()
    return answers.astype(np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_the_stated_share_and_scales_the_others_so_that_the_mean_stays(rate: float) -> None:
    values = dropped(Dropout(rate))
    assert np.unique(values) == pytest.approx([0, 1 / (1 - rate)])
    assert np.mean(values == 0) == pytest.approx(rate, abs=0.02)


def test_dropout_at_rate_0_changes_nothing() -> None:
    assert np.all(dropped(Dropout(0)) == 1)


def test_a_seed_decides_what_is_dropped_and_another_seed_or_step_drops_others() -> None:
    first = dropped(Dropout(0.5))
    assert np.array_equal(dropped(Dropout(0.5)), first)
    for other in ((6, 0), (5, 1)):
        assert np.mean(dropped(Dropout(0.5), seed=other) == first) == pytest.approx(0.5, abs=0.02)


def test_two_dropouts_of_one_network_drop_independently() -> None:
    values = dropped(Dropout(0.5), Dropout(0.5))
    assert np.unique(values).tolist() == [0, 4]
    assert np.mean(values == 4) == pytest.approx(0.25, abs=0.02)


def test_dropout_keeps_the_mean_in_bfloat16_too() -> None:
    assert dropped(Dropout(0.4), dtype=tf.bfloat16).mean() == pytest.approx(1, abs=0.02)


def test_dropout_does_nothing_at_inference() -> None:
    with_dropout = Network((Conv2D(3), Dropout(0.5), Flatten(), Dropout(0.9), Dense(1, "linear")), SHAPE)
    assert np.array_equal(inferred(with_dropout), inferred(Network((Conv2D(3), *END), SHAPE)))
