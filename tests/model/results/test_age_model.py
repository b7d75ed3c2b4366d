"""Keras models from descriptions: the same shapes and weights as our trace, and files that load without our code."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import ModelError
from model.network.initializers import initial_weights
from model.network.layers import AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, Weigh
from model.network.network import Network
from model.network.summary import summary_rows
from model.results.age_model import AgeModel

SMALL = Network(
    (
        Conv2D(3, (3, 2), "same", "tanh"),
        MaxPool(),
        Conv2D(4, 2, batch_norm=True),
        BatchNorm(),
        AveragePool(),
        Dropout(0.4),
        Flatten(),
        Dense(4, "sigmoid", batch_norm=True),
        Dense(3, "softmax"),
        Dense(1, "linear"),
    ),
    (10, 9, 1),
)

ACTIVATIONS = ("relu", "sigmoid", "softmax", "tanh", "linear")
BELOW_IMAGE = st.integers(2, 4)
IMAGE_LAYERS = st.one_of(
    st.builds(
        Conv2D,
        filters=BELOW_IMAGE,
        kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
        padding=st.sampled_from(("valid", "same")),
        activation=st.sampled_from(ACTIVATIONS),
        batch_norm=st.booleans(),
        stride=st.integers(1, 2),
    ),
    st.builds(MaxPool, st.integers(1, 3)),
    st.builds(AveragePool, st.integers(1, 3)),
    st.just(BatchNorm()),
    st.just(Weigh()),
    st.builds(Dropout, st.floats(0, 0.9)),
)
ROW_LAYERS = st.one_of(
    st.builds(Dense, units=BELOW_IMAGE, activation=st.sampled_from(ACTIVATIONS), batch_norm=st.booleans()),
    st.just(BatchNorm()),
    st.just(Weigh()),
    st.just(Dropout(0.5)),
    st.just(Flatten()),
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw a small network that can work: image layers are left out where the image has become too small for them."""
    shape = draw(st.tuples(st.integers(3, 9), st.integers(3, 9), st.integers(1, 3)))
    tail = (Flatten(), *draw(st.lists(ROW_LAYERS, max_size=2)), Dense(1, draw(st.sampled_from(("relu", "linear")))))
    head: tuple[Layer, ...] = ()
    for layer in draw(st.lists(IMAGE_LAYERS, max_size=4)):
        try:
            Network((*head, layer, *tail), shape)
        except ModelError:
            continue
        head = (*head, layer)
    return Network((*head, *tail), shape, regularizer=draw(st.sampled_from(("l2", "l1", "none"))))


def images(network: Network) -> npt.NDArray[np.uint8]:
    """Draw four images from dark to bright, so that a network's answers to them lie apart."""
    brightest = np.array([16, 64, 128, 256]).reshape(4, 1, 1, 1)
    return np.random.default_rng(3).integers(0, brightest, (4, *network.input_shape), dtype=np.uint8)


def scrambled(network: Network) -> list[npt.NDArray[np.float32]]:
    """Draw weights of which none is at its neutral value, so that each matters, and which saturate no activation."""
    stream = np.random.default_rng(4)
    others = (stream.uniform(0.2, 0.9, spec.shape).astype(np.float32) for spec in network.weights)
    drawn = zip(network.weights, initial_weights(network, 4), others, strict=True)
    return [kernel * 3 if spec.role == "kernel" else other for spec, kernel, other in drawn]


def built(network: Network, **arguments: Any) -> Any:
    model = AgeModel(network).build(**{"rescale": True, **arguments})
    model.set_weights(scrambled(network))
    return model


@settings(max_examples=12)
@given(network=networks())
def test_any_valid_description_builds_into_the_keras_model_that_the_trace_foretells(network: Network) -> None:
    model = AgeModel(network).build(rescale=False)
    rows = [(layer.name, type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in model.layers]
    foretold = [(row.name, row.keras_type, row.output_shape, row.parameters) for row in summary_rows(network)]
    assert rows[1:] == foretold
    assert [(weight.path, weight.shape) for weight in model.weights] == [
        (spec.name, spec.shape) for spec in network.weights
    ]
    assert [weight.path for weight in model.trainable_weights] == [
        spec.name for spec in network.weights if spec.trainable
    ]
    model.set_weights(initial_weights(network, 5))
    assert model.count_params() == network.parameters


def test_batch_norm_stands_between_a_layer_and_its_activation() -> None:
    # One unit without batch norm gives relu(2x + 1); the moving mean of 4 and variance of 4 come in before the relu.
    network = Network((Flatten(), Dense(1, "relu", batch_norm=True)), (1, 1, 1))
    model = AgeModel(network).build(rescale=False)
    model.set_weights([np.array(values, np.float32) for values in ([[2]], [1], [1], [0], [4], [4])])
    answers = model.predict(np.array([0, 3], np.float32).reshape(2, 1, 1, 1), verbose=0)
    assert answers.ravel() == pytest.approx([0, 3 / np.sqrt(4.001)])


def test_rescaling_divides_raw_pixels_by_255() -> None:
    raw = images(SMALL)
    scaled = built(SMALL, rescale=False).predict(raw / np.float32(255), verbose=0)
    assert built(SMALL).predict(raw, verbose=0) == pytest.approx(scaled, rel=1e-5)


def test_clipping_holds_the_answer_between_the_limits_and_changes_nothing_else() -> None:
    network = Network((Flatten(), Dense(1, "linear")), (1, 1, 1))
    model = AgeModel(network).build(rescale=False, clip=(1, 80))
    model.set_weights([np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    answers = model.predict(np.array([-5, 0.5, 1, 33.25, 80, 300], np.float32).reshape(-1, 1, 1, 1), verbose=0)
    assert answers.ravel().tolist() == [1, 1, 1, 33.25, 80, 80]


@pytest.mark.parametrize(("low", "high"), [(-1e8, 1), (-1e6, 1e6), (7, 7)])
def test_an_answer_within_the_limits_keeps_all_its_digits(low: float, high: float) -> None:
    network = Network((Flatten(), Dense(1, "linear")), (1, 1, 1))
    model = AgeModel(network).build(rescale=False, clip=(low, high))
    model.set_weights([np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    answers = np.array([-0.1731, 0.0016, 0.8204, 7], np.float32)
    expected = np.clip(answers, np.float32(low), np.float32(high))
    assert model.predict(answers.reshape(-1, 1, 1, 1), verbose=0).ravel().tolist() == expected.tolist()


@pytest.mark.parametrize(("regularizer", "power"), [("l2", 2), ("l1", 1)])
def test_the_penalty_counts_kernels_and_biases_and_nothing_else(regularizer: str, power: int) -> None:
    network = Network((Flatten(), Dense(3, batch_norm=True), BatchNorm(), Dense(1)), (2, 2, 1), regularizer=regularizer)
    model = built(network, regularization=0.1)
    weights = zip(network.weights, scrambled(network), strict=True)
    expected = 0.1 * sum(np.sum(np.abs(array) ** power) for spec, array in weights if spec.regularised)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_without_regularization_there_is_no_penalty() -> None:
    assert built(SMALL).losses == []


def test_the_momentum_reaches_every_batch_normalisation() -> None:
    model = built(SMALL, momentum=0.9)
    assert [layer.momentum for layer in model.layers if hasattr(layer, "momentum")] == [0.9, 0.9, 0.9]


@pytest.mark.parametrize("initializer", ["xavier", "gaussian"])
def test_keras_draws_kernels_from_the_same_distribution_as_we_do(initializer: str) -> None:
    network = Network((Conv2D(64, 5), Flatten(), Dense(1)), (8, 8, 3), initializer=initializer)
    import keras

    keras.utils.set_random_seed(6)
    theirs = AgeModel(network).build(rescale=False).get_weights()
    ours = initial_weights(network, 6)
    for share in (0.01, 0.25, 0.75, 0.99):
        assert np.quantile(theirs[0], share) == pytest.approx(np.quantile(ours[0], share), rel=0.1)
    assert not np.any(theirs[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"regularization": -0.1}, "regularization is -0.1; it must be a finite number of at least 0"),
        ({"regularization": float("nan")}, "regularization is nan"),
        ({"momentum": 1.0}, "momentum is 1.0; it must be at least 0 and below 1"),
        ({"clip": (80, 1)}, r"clip is \(80, 1\); it must be two finite numbers, the larger one last"),
        ({"clip": (0, float("inf"))}, r"clip is \(0, inf\)"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        AgeModel(SMALL).build(rescale=False, **arguments)


def test_a_factor_for_a_network_without_regulariser_is_refused() -> None:
    network = Network((Flatten(), Dense(1)), (2, 2, 1), regularizer="none")
    with pytest.raises(ModelError, match=r"regularization is 0\.1, but .* regularizer is \"none\"; pass 0"):
        AgeModel(network).build(rescale=False, regularization=0.1)


STRANGER = """
import sys
sys.modules.update(dict.fromkeys(("model", "data", "search")))  # importing any of them now fails
import keras, numpy
model = keras.models.load_model(sys.argv[1], safe_mode=True)
numpy.save(sys.argv[3], model.predict(numpy.load(sys.argv[2]), verbose=0))
"""


def test_a_saved_model_loads_safely_without_our_code_and_answers_the_same(tmp_path: Path) -> None:
    model = built(SMALL, regularization=1e-4, clip=(-80, 80))
    names = [str(tmp_path / name) for name in ("model.keras", "images.npy", "answers.npy")]
    model.save(names[0])
    np.save(names[1], images(SMALL))
    finished = subprocess.run([sys.executable, "-I", "-c", STRANGER, *names], cwd=tmp_path, capture_output=True)
    assert finished.returncode == 0, finished.stderr.decode()
    answers = model.predict(images(SMALL), verbose=0)
    assert np.ptp(answers) > 0.03
    assert np.load(names[2]) == pytest.approx(answers, rel=1e-6)
