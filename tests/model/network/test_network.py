import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from model.errors import ModelError
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
)
from model.network.network import MOST_PARAMETERS, Network, trace
from model.network.shapes import WeightSpec

IMAGE = (7, 8, 3)


def test_the_trace_numbers_weights_by_the_index_of_their_layer() -> None:
    steps = trace((MaxPool(), BatchNorm(), Flatten(), Dense(1)), IMAGE)
    assert [spec.name for step in steps for spec in step.weights] == [
        "batch_normalization_1/gamma",
        "batch_normalization_1/beta",
        "batch_normalization_1/moving_mean",
        "batch_normalization_1/moving_variance",
        "dense_3/kernel",
        "dense_3/bias",
    ]
    assert steps[3].weights[0] == WeightSpec("dense_3/kernel", (36, 1), "kernel")


def test_each_step_takes_in_what_the_one_before_puts_out() -> None:
    steps = trace((Conv2D(2), MaxPool(), Flatten(), Dense(1)), IMAGE)
    assert [step.output_shape for step in steps] == [(5, 6, 2), (2, 3, 2), (12,), (1,)]
    assert [step.input_shape for step in steps] == [IMAGE, (5, 6, 2), (2, 3, 2), (12,)]
    assert [step.index for step in steps] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((Conv2D(2, 7), MaxPool(2)), "layer 1, MaxPool(size=2): the input is 1×2 and cannot be pooled by 2×2"),
        ((AveragePool(8),), "layer 0, AveragePool(size=8): the input is 7×8 and cannot be pooled by 8×8"),
        ((MaxPool((2, 9)),), "layer 0, MaxPool(size=(2, 9)): the input is 7×8 and cannot be pooled by 2×9"),
        ((AveragePool((2, 0)),), "size is (2, 0); it must be a whole number of at least 1, or a tuple (height, width)"),
        ((MaxPool(0),), "layer 0, MaxPool(size=0): size is 0; it must be a whole number of at least 1"),
        ((Flatten(), MaxPool(2)), "the input is a row of 168 values, not an image, and cannot be pooled"),
        ((Flatten(), Conv2D(2)), "the input is a row of 168 values, not an image, and cannot be convolved"),
        ((Dropout(0.1), Dense(2)), "layer 1, Dense(.*): the input is an image of 7×8×3; put Flatten() before it"),
        ((Conv2D(2, (8, 1)),), 'the kernel of 8×1 is larger than the input of 7×8; padding is "valid"'),
        ((Conv2D(0),), "filters is 0; it must be a whole number of at least 1"),
        ((Conv2D(True),), "filters is True; it must be a whole number of at least 1"),
        ((Conv2D(2.0),), "filters is 2.0; it must be a whole number of at least 1"),
        ((Conv2D(2, kernel=0),), "kernel is (0, 0); it must be a whole number"),
        ((Conv2D(2, kernel=3.0),), "kernel is 3.0; it must be a whole number"),
        ((Conv2D(2, kernel=(3, 3, 3)),), "kernel is (3, 3, 3); it must be a whole number"),
        ((Conv2D(2, kernel=True),), "kernel is True; it must be a whole number"),
        ((Conv2D(2, stride=0),), "stride is 0; it must be a whole number of at least 1"),
        ((Conv2D(2, padding="full"),), "padding is 'full'; it must be one of valid, same"),
        ((Conv2D(2, activation="swish"),), "activation is 'swish'; it must be one of relu, sigmoid, softmax, tanh, "),
        ((Conv2D(2, batch_norm=1),), "batch_norm is 1; it must be True or False"),
        ((Conv2D(1, activation="softmax"),), "softmax over a single value always answers 1"),
        ((Flatten(), Dense(1, "softmax")), "layer 1, Dense(.*): softmax over a single value always answers 1"),
        ((Flatten(), Dense(-1)), "units is -1; it must be a whole number of at least 1"),
        ((Flatten(), Dense(2, None)), "activation is None; it must be one of"),
        ((Flatten(), Dense(2, batch_norm="yes")), "batch_norm is 'yes'; it must be True or False"),
        ((Dropout(1.0),), "layer 0, Dropout(rate=1.0): rate is 1.0; it must be a number of at least 0 and below 1"),
        ((Dropout(-0.1),), "rate is -0.1; it must be a number of at least 0 and below 1"),
        ((Dropout(float("nan")),), "rate is nan; it must be a number of at least 0 and below 1"),
        ((Dropout(False),), "rate is False; it must be a number of at least 0 and below 1"),
        ((Flatten(), "relu"), "layer 1, 'relu': this is not a layer; use Conv2D, Dense, "),
        ((Flatten(), Dense), "this is not a layer; use Conv2D, Dense, "),
        ((), "layers is empty; a network needs at least one layer"),
        ((Expectation(),), "layer 0, Expectation(): the input is 7×8×3; put Dense(n, "),
        ((Flatten(), Dense(13, "softmax"), Expectation()), 'the input is 13; put Dense(n, "softmax") of n ≥ 14 before'),
        ((Skip(), Flatten()), "layers end within a skip; put Add() where"),
        ((Skip(), Skip()), "layer 1, Skip(): the skip before it has not ended; put Add() between"),
        ((Add(),), "layer 0, Add(): there is nothing to add; put Skip() before"),
        ((Skip(), Add(), Add()), "layer 2, Add(): there is nothing to add"),
        ((Skip(), Conv2D(2), Add()), "layer 2, Add(): the layers make (5, 6, 2) of the (7, 8, 3) that skips them"),
    ],
)
def test_a_description_that_cannot_work_is_refused_with_its_place_and_reason(
    layers: tuple[Layer, ...], message: str
) -> None:
    with pytest.raises(ModelError) as refusal:
        trace(layers, IMAGE)
    start, _, end = message.rpartition(".*")
    assert start in str(refusal.value)
    assert end in str(refusal.value)


@pytest.mark.parametrize("shape", [(91, 91), (91, 0, 1), (91.0, 91, 1), (True, 91, 1), [91, 91, 1], 91])
def test_an_input_shape_other_than_three_whole_numbers_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ModelError, match=r"input_shape is .*it must be \(height, width, channels\)"):
        Network((Flatten(), Dense(1)), shape)


@pytest.mark.parametrize(
    "layers",
    [
        (Flatten(),),
        (Flatten(), Dense(2)),
        (Flatten(), Dense(1), Dropout(0.5)),
        (Flatten(), Dense(20), Expectation()),
        (Flatten(), Dense(20, "softmax"), Expectation(), Dense(1)),
    ],
)
def test_a_network_that_does_not_end_in_one_number_is_refused(layers: tuple[Layer, ...]) -> None:
    with pytest.raises(ModelError, match=f"layer {len(layers) - 1}, .*must end with Dense\\(units=1\\)"):
        Network(layers, IMAGE)


def test_an_unknown_initializer_or_regularizer_is_refused() -> None:
    with pytest.raises(ModelError, match="initializer is 'he'; it must be one of xavier, gaussian"):
        Network((Flatten(), Dense(1)), IMAGE, initializer="he")
    with pytest.raises(ModelError, match="regularizer is None; it must be one of l2, l1, none"):
        Network((Flatten(), Dense(1)), IMAGE, regularizer=None)


def test_a_network_of_more_parameters_than_can_be_counted_is_refused_with_the_layer_that_makes_it_so() -> None:
    most = (MOST_PARAMETERS - 1) // 170  # 168 inputs, a bias and an output each, and the output's bias
    assert Network((Flatten(), Dense(most), Dense(1)), IMAGE).parameters == 170 * most + 1
    for units, layer in ((most + 1, 2), (10**4299, 1)):
        with pytest.raises(ModelError, match=rf"layer {layer}, Dense\(.*: with it .* more than 2147483647 parameters"):
            Network((Flatten(), Dense(units), Dense(1)), IMAGE)


def test_a_network_counts_all_and_trainable_parameters() -> None:
    network = Network((Conv2D(2, batch_norm=True), Flatten(), Dense(1, "linear")), (4, 4, 1))
    assert network.parameters == (9 * 2 + 2) + 4 * 2 + (2 * 2 * 2 + 1)
    assert network.trainable_parameters == network.parameters - 4


def test_a_network_is_a_value_that_can_be_compared_hashed_and_sent_to_another_process() -> None:
    network = Network([Conv2D(2), Flatten(), Dense(1)], IMAGE)
    same = Network((Conv2D(2), Flatten(), Dense(1)), IMAGE)
    assert network == same
    assert hash(network) == hash(same)
    assert pickle.loads(pickle.dumps(network)).steps == network.steps  # noqa: S301 -- our own bytes


def test_describing_the_papers_network_and_its_summary_loads_no_tensorflow() -> None:
    program = (
        "import sys; from model.network.paper import paper_network; from model.network.summary import summary; "
        "import model.results.age_model, model.network.network; summary(paper_network()); "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
