"""The residual networks: the paper's size, as Keras counts it, too."""

import pytest

from model.network.layers import Add, AveragePool, Dense, Expectation, Weigh
from model.network.network import Network
from model.network.paper import paper_network
from model.network.residual import pooled_network, residual_network, with_expectation
from model.results.age_model import AgeModel

SIZES = {residual_network: 1_464_417, pooled_network: 1_380_513}

both = pytest.mark.parametrize("make", SIZES)


@both
def test_it_is_of_about_the_size_of_the_papers_network(make) -> None:
    assert make().parameters == SIZES[make]
    assert abs(make().parameters / paper_network().parameters - 1) < 0.05


@both
def test_keras_counts_the_same_parameters_and_adds_up_in_every_block(make) -> None:
    model = AgeModel(make()).build(rescale=True)
    assert model.count_params() == SIZES[make]
    assert [type(layer).__name__ for layer in model.layers].count("Add") == 3
    assert sum(isinstance(layer, Add) for layer in make().layers) == 3


@both
def test_its_output_is_as_asked(make) -> None:
    assert make("relu").layers[-1] == Dense(1, "relu")


@both
def test_the_mean_of_a_distribution_takes_the_place_of_the_output(make) -> None:
    layers = with_expectation(make().layers, 80)
    assert layers[-2:] == (Dense(80, "softmax"), Expectation())
    assert layers[:-2] == make().layers[:-1]
    assert Network(layers).parameters < 1_500_000


@pytest.mark.parametrize(("shape", "size"), [((91, 91, 1), (10, 10)), ((12, 12, 3), (1, 1)), ((48, 64, 1), (5, 7))])
def test_the_pooled_network_ends_in_a_weighed_mean_over_all_places(shape, size) -> None:
    network = pooled_network("linear", shape)
    assert network.layers[-5:-3] == (Weigh(), AveragePool(size))
    assert network.steps[-4].input_shape[:2] == size
    assert network.steps[-4].output_shape[:2] == (1, 1)


def test_it_takes_images_of_any_size() -> None:
    assert Network(residual_network().layers, (5, 9, 3)).steps[-1].output_shape == (1,)
