"""The paper's network against every row of the paper's appendix, from our own trace and from Keras."""

import pytest

from model.errors import ModelError
from model.network.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool
from model.network.network import Network
from model.network.paper import PaperVariant, Placement, paper_network, with_dropout
from model.network.summary import summary_rows
from model.results.age_model import AgeModel

# Layer type, output shape without the batch, parameters: the appendix, row by row.
APPENDIX = (
    ("Conv2D", (89, 89, 32), 320),
    ("BatchNormalization", (89, 89, 32), 128),
    ("Activation", (89, 89, 32), 0),
    ("Conv2D", (87, 87, 32), 9248),
    ("BatchNormalization", (87, 87, 32), 128),
    ("Activation", (87, 87, 32), 0),
    ("MaxPooling2D", (43, 43, 32), 0),
    ("Conv2D", (41, 41, 64), 18496),
    ("BatchNormalization", (41, 41, 64), 256),
    ("Activation", (41, 41, 64), 0),
    ("Conv2D", (39, 39, 64), 36928),
    ("BatchNormalization", (39, 39, 64), 256),
    ("Activation", (39, 39, 64), 0),
    ("MaxPooling2D", (19, 19, 64), 0),
    ("Conv2D", (17, 17, 128), 73856),
    ("BatchNormalization", (17, 17, 128), 512),
    ("Activation", (17, 17, 128), 0),
    ("Conv2D", (15, 15, 128), 147584),
    ("BatchNormalization", (15, 15, 128), 512),
    ("Activation", (15, 15, 128), 0),
    ("Conv2D", (13, 13, 128), 147584),
    ("BatchNormalization", (13, 13, 128), 512),
    ("Activation", (13, 13, 128), 0),
    ("MaxPooling2D", (6, 6, 128), 0),
    ("Conv2D", (4, 4, 256), 295168),
    ("BatchNormalization", (4, 4, 256), 1024),
    ("Activation", (4, 4, 256), 0),
    ("Conv2D", (4, 4, 512), 131584),
    ("BatchNormalization", (4, 4, 512), 2048),
    ("Activation", (4, 4, 512), 0),
    ("MaxPooling2D", (2, 2, 512), 0),
    ("Flatten", (2048,), 0),
    ("Dense", (256,), 524544),
    ("Dense", (128,), 32896),
    ("Dense", (64,), 8256),
    ("Dense", (1,), 65),
)


def test_our_trace_equals_the_appendix_row_by_row() -> None:
    rows = summary_rows(paper_network())
    assert tuple((row.keras_type, row.output_shape, row.parameters) for row in rows) == APPENDIX


def test_the_keras_model_equals_the_appendix_row_by_row() -> None:
    model = AgeModel(paper_network()).build(rescale=False)
    rows = tuple((type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in model.layers[1:])
    assert rows == APPENDIX
    assert model.count_params() == 1_431_905
    assert sum(weight.shape.num_elements() for weight in model.trainable_weights) == 1_429_217


def test_the_totals_are_the_appendix_totals() -> None:
    assert paper_network().parameters == 1_431_905
    assert paper_network().trainable_parameters == 1_429_217


@pytest.mark.parametrize("output", ["linear", "relu"])
def test_the_output_layer_takes_the_activation_asked_for(output: str) -> None:
    assert paper_network(output).layers[-1] == Dense(1, activation=output)


def test_the_output_is_linear_unless_asked_for_otherwise() -> None:
    assert paper_network() == paper_network("linear")


def test_without_a_variant_nothing_is_varied() -> None:
    assert paper_network("relu", PaperVariant()) == paper_network("relu")


def test_the_width_is_that_of_every_layer_but_the_output() -> None:
    narrow = paper_network(variant=PaperVariant(width=4))
    widths = [layer.filters if isinstance(layer, Conv2D) else layer.units for layer in weighted(narrow)]
    assert widths == [4, 4, 8, 8, 16, 16, 16, 32, 64, 32, 16, 8, 1]
    assert [layer.kernel for layer in weighted(narrow) if isinstance(layer, Conv2D)][-2:] == [(3, 3), (1, 1)]


def weighted(network: Network) -> list[Conv2D | Dense]:
    return [layer for layer in network.layers if isinstance(layer, Conv2D | Dense)]


@pytest.mark.parametrize(
    ("placement", "convolutions", "blocks", "dense"),
    [("convolutions", 9, 0, 0), ("blocks", 0, 4, 0), ("dense", 0, 0, 3), ("none", 0, 0, 0)],
)
def test_batch_normalisation_is_where_the_paper_tried_it(
    placement: Placement, convolutions: int, blocks: int, dense: int
) -> None:
    network = paper_network(variant=PaperVariant(batch_norm=placement))
    normed = [layer for layer in weighted(network) if layer.batch_norm]
    assert [sum(isinstance(layer, kind) for layer in normed) for kind in (Conv2D, Dense)] == [convolutions, dense]
    places = [index for index, layer in enumerate(network.layers) if isinstance(layer, BatchNorm)]
    assert [type(network.layers[place + 1]) for place in places] == [MaxPool] * blocks


def test_dropout_follows_the_last_convolution_and_each_dense_layer_but_the_output() -> None:
    layers = paper_network(variant=PaperVariant(dropout=0.3)).layers
    before = [layers[index - 1] for index, layer in enumerate(layers) if layer == Dropout(0.3)]
    assert before == [Conv2D(512, 1, batch_norm=True), Dense(256), Dense(128), Dense(64)]


def test_shape_and_initializer_are_the_variants() -> None:
    network = paper_network(variant=PaperVariant(input_shape=(96, 80, 3), initializer="gaussian"))
    assert (network.input_shape, network.initializer) == ((96, 80, 3), "gaussian")


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        (PaperVariant(width=0), "width is 0"),
        (PaperVariant(batch_norm="everywhere"), "batch_norm is 'everywhere'; it must be one of convolutions, blocks"),  # type: ignore[arg-type]
        (PaperVariant(dropout=1.0), "rate is 1.0"),
        (PaperVariant(input_shape=(40, 40, 1)), "the input is 1×1 and cannot be pooled by 2"),
    ],
)
def test_a_variant_that_cannot_work_is_refused(variant: PaperVariant, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        paper_network(variant=variant)


def test_dropout_of_any_network_can_be_given_another_rate() -> None:
    assert with_dropout((Dense(2), Dropout(0.5), Dense(1)), 0.1) == (Dense(2), Dropout(0.1), Dense(1))
