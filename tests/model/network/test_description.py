import json
import tomllib

import pytest

from model.errors import ModelError
from model.network.description import layers_from, tables_of
from model.network.layers import (
    Activation,
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
from model.network.paper import paper_network

EVERY: tuple[Layer, ...] = (
    Conv2D(8, (3, 5), padding="same", activation="tanh", batch_norm=True, stride=2),
    MaxPool(3),
    AveragePool(),
    AveragePool((2, 1)),
    BatchNorm(),
    Skip(),
    Add(),
    Dropout(0.25),
    Weigh(),
    Flatten(),
    Dense(1, activation="linear"),
    Expectation(),
)


@pytest.mark.parametrize("layers", [EVERY, paper_network().layers])
def test_layers_survive_being_written_as_tables(layers: tuple[Layer, ...]) -> None:
    assert layers_from(json.loads(json.dumps(tables_of(layers)))) == layers


def test_what_a_table_leaves_out_has_its_default() -> None:
    text = '[[layers]]\nkind = "conv2d"\nfilters = 4\n[[layers]]\nkind = "max_pool"\n'
    assert layers_from(tomllib.loads(text)["layers"]) == (Conv2D(4), MaxPool())


@pytest.mark.parametrize(("given", "activation"), [({}, "linear"), ({"activation": "relu"}, "relu")])
def test_an_output_is_linear_if_nothing_else_is_said(given: dict[str, str], activation: Activation) -> None:
    dense = {"kind": "dense", "units": 1}
    assert layers_from([dense, dense | given]) == (Dense(1, "relu"), Dense(1, activation))


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (None, "a network is a list of layers"),
        ([], "a network is a list of layers"),
        ("conv2d", "a network is a list of layers"),
        ([{"kind": "flatten"}, {"kind": "conv"}], "layer 1: kind is 'conv'; it must be one of conv2d, dense, "),
        ([{"units": 3}], "layer 0: kind is None; it must be one of"),
        ([{"kind": ["dense"]}], "layer 0: kind is ['dense']; it must be one of"),
        (["dense"], "layer 0 is 'dense'; it must be a table [[layers]] with a kind"),
        ([{"kind": "conv2d", "filter": 3}], "layer 0, conv2d: unknown setting 'filter'; did you mean 'filters'?"),
        ([{"kind": "flatten", "units": 3}], "layer 0, flatten: unknown setting 'units'; it has none"),
        ([{"kind": "dense"}], "layer 0, dense: units is missing"),
    ],
)
def test_tables_that_describe_no_layers_are_refused_with_the_place(tables: object, said: str) -> None:
    with pytest.raises(ModelError) as error:
        layers_from(tables)
    assert str(error.value).startswith(said)
