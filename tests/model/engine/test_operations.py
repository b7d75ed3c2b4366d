"""A network's operations: what changes places, what stays, and which weights each of them uses."""

import pytest

from model.engine.operations import Activate, Convolve, MatMul, Multiply, Norm, Normalize, Operation, operations
from model.network.layers import AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, Weigh
from model.network.network import Network

RELU = Activate("relu")
CONVOLVE = Convolve(0, 1, None, "valid")
TAIL = (Flatten(), Dense(1, "linear"))


def front(*layers: Layer) -> list[Operation]:
    """List the operations of `layers`, put before a tail of two operations."""
    return list(operations(Network((*layers, *TAIL), (12, 12, 1))))[:-2]


def test_a_relu_is_done_after_the_max_pool_behind_it() -> None:
    assert front(Conv2D(2), MaxPool(3)) == [CONVOLVE, MaxPool(3), RELU]


def test_a_relu_is_done_after_both_of_two_max_pools_which_keep_their_order() -> None:
    assert front(Conv2D(2), MaxPool(2), MaxPool(3)) == [CONVOLVE, MaxPool(2), MaxPool(3), RELU]


def test_the_swap_leaves_the_normalisation_with_its_convolution() -> None:
    normalised = Convolve(0, 1, Norm(2, 3, 4, 5), "valid")
    assert front(Conv2D(2, batch_norm=True), MaxPool()) == [normalised, MaxPool(2), RELU]


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softmax"])
def test_other_activations_stay_before_the_max_pool(activation: str) -> None:
    pooled = front(Conv2D(2, activation=activation), MaxPool())
    assert pooled == [CONVOLVE, Activate(activation), MaxPool(2)]


def test_a_relu_stays_before_an_average_pool() -> None:
    assert front(Conv2D(2), AveragePool()) == [CONVOLVE, RELU, AveragePool(2)]


@pytest.mark.parametrize("between", [Dropout(0.5), BatchNorm()])
def test_a_relu_stays_in_place_where_something_stands_before_the_max_pool(between: Layer) -> None:
    made = front(Conv2D(2), between, MaxPool())
    assert made[:2] == [CONVOLVE, RELU]
    assert made[3:] == [MaxPool(2)]


def test_a_linear_activation_is_no_operation() -> None:
    assert front(Conv2D(2, activation="linear"), MaxPool()) == [CONVOLVE, MaxPool(2)]


def test_every_kind_of_layer_becomes_its_operation_in_order_with_its_own_weights() -> None:
    network = Network(
        (
            Conv2D(2, padding="same", activation="tanh"),
            BatchNorm(),
            Conv2D(3, batch_norm=True),
            Weigh(),
            AveragePool(2),
            Dropout(0.25),
            Flatten(),
            Dense(4, "sigmoid", batch_norm=True),
            Dense(1, "linear"),
        ),
        (12, 12, 1),
    )
    assert operations(network) == (
        Convolve(0, 1, None, "same"),
        Activate("tanh"),
        Normalize(Norm(2, 3, 4, 5)),
        Convolve(6, 7, Norm(8, 9, 10, 11), "valid"),
        RELU,
        Multiply(12),
        AveragePool(2),
        Dropout(0.25),
        Flatten(),
        MatMul(13, 14, Norm(15, 16, 17, 18)),
        Activate("sigmoid"),
        MatMul(19, 20, None),
    )
    roles = [spec.role for spec in network.weights]
    assert [roles[first] for first in (0, 6, 13, 19)] == ["kernel"] * 4
    assert [roles[first] for first in (2, 8, 15)] == ["gamma"] * 3
    assert roles[12] == "factors"
    assert len(roles) == 21
