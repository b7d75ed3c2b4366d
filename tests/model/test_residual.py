"""The residual network: the paper's size, as Keras counts it, too."""

from model.age_model import AgeModel
from model.layers import Add, Dense
from model.paper import paper_network
from model.residual import residual_network


def test_it_is_of_about_the_size_of_the_papers_network() -> None:
    assert residual_network().parameters == 1_378_241
    assert abs(residual_network().parameters / paper_network().parameters - 1) < 0.05


def test_keras_counts_the_same_parameters_and_adds_up_in_every_block() -> None:
    model = AgeModel(residual_network()).build(rescale=True)
    assert model.count_params() == 1_378_241
    assert [type(layer).__name__ for layer in model.layers].count("Add") == 3
    assert sum(isinstance(layer, Add) for layer in residual_network().layers) == 3


def test_its_output_is_as_asked() -> None:
    assert residual_network("relu").layers[-1] == Dense(1, "relu")
