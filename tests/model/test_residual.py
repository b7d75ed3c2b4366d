"""The residual network: the paper's size, as Keras counts it, too."""

from model.age_model import AgeModel
from model.layers import Add, Dense, Expectation
from model.network import Network
from model.paper import paper_network
from model.residual import residual_network, with_expectation


def test_it_is_of_about_the_size_of_the_papers_network() -> None:
    assert residual_network().parameters == 1_464_417
    assert abs(residual_network().parameters / paper_network().parameters - 1) < 0.05


def test_keras_counts_the_same_parameters_and_adds_up_in_every_block() -> None:
    model = AgeModel(residual_network()).build(rescale=True)
    assert model.count_params() == 1_464_417
    assert [type(layer).__name__ for layer in model.layers].count("Add") == 3
    assert sum(isinstance(layer, Add) for layer in residual_network().layers) == 3


def test_its_output_is_as_asked() -> None:
    assert residual_network("relu").layers[-1] == Dense(1, "relu")


def test_the_mean_of_a_distribution_takes_the_place_of_the_output() -> None:
    layers = with_expectation(residual_network().layers, 80)
    assert layers[-2:] == (Dense(80, "softmax"), Expectation())
    assert layers[:-2] == residual_network().layers[:-1]
    assert Network(layers).parameters < 1_500_000


def test_it_takes_images_of_any_size() -> None:
    assert Network(residual_network().layers, (5, 9, 3)).steps[-1].output_shape == (1,)
