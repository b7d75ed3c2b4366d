"""The paper's network against every row of the paper's appendix, from our own trace and from Keras."""

import pytest

from model.age_model import AgeModel
from model.layers import Dense
from model.paper import paper_network
from model.summary import summary_rows

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
