import pytest

from model.network.layers import AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, Weigh
from model.network.shapes import output_shape, weight_specs

IMAGE = (7, 8, 3)


@pytest.mark.parametrize(
    ("layer", "input_shape", "expected"),
    [
        (Conv2D(5), IMAGE, (5, 6, 5)),
        (Conv2D(5, kernel=(1, 8)), IMAGE, (7, 1, 5)),
        (Conv2D(5, padding="same"), IMAGE, (7, 8, 5)),
        (Conv2D(5, kernel=9, padding="same"), IMAGE, (7, 8, 5)),
        (Conv2D(5, padding="same", stride=2), IMAGE, (4, 4, 5)),
        (Conv2D(5, stride=2), IMAGE, (3, 3, 5)),
        (MaxPool(3), IMAGE, (2, 2, 3)),
        (AveragePool(), IMAGE, (3, 4, 3)),
        (BatchNorm(), IMAGE, IMAGE),
        (Dropout(0.5), (4,), (4,)),
        (Weigh(), IMAGE, IMAGE),
        (Weigh(), (4,), (4,)),
        (Flatten(), IMAGE, (168,)),
        (Dense(4), (168,), (4,)),
    ],
)
def test_each_layer_gives_its_output_shape(
    layer: Layer, input_shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert output_shape(layer, input_shape) == expected


def test_a_convolution_with_batch_norm_lists_six_weights_in_keras_order() -> None:
    specs = weight_specs(Conv2D(5, kernel=(2, 3), batch_norm=True), IMAGE)
    assert [(spec.role, spec.shape) for spec in specs] == [
        ("kernel", (2, 3, 3, 5)),
        ("bias", (5,)),
        ("gamma", (5,)),
        ("beta", (5,)),
        ("moving_mean", (5,)),
        ("moving_variance", (5,)),
    ]


def test_only_moving_statistics_are_not_trained_and_only_kernels_and_biases_are_penalised() -> None:
    specs = weight_specs(Dense(2, batch_norm=True), (3,))
    assert [spec.role for spec in specs if not spec.trainable] == ["moving_mean", "moving_variance"]
    assert [spec.role for spec in specs if spec.regularised] == ["kernel", "bias"]


def test_a_weighing_has_a_factor_for_each_value_which_is_trained_and_not_penalised() -> None:
    (factors,) = weight_specs(Weigh(), IMAGE)
    assert factors.shape == IMAGE
    assert factors.trainable
    assert not factors.regularised


def test_layers_without_weights_list_none() -> None:
    assert all(weight_specs(layer, IMAGE) == () for layer in (MaxPool(), AveragePool(), Dropout(0.1), Flatten()))
