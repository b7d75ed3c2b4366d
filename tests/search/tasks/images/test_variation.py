from dataclasses import replace

import pytest

from model.engine.setup import Augmentation
from model.network.layers import Dense, Dropout, Flatten
from model.network.paper import PaperVariant, paper_network
from model.network.residual import residual_network
from model.training.recipe import recipe_named
from search.errors import SearchError
from search.tasks.images.network_file import network_text
from search.tasks.images.variation import recipe_for, varied

BASE = recipe_for("default", None)
SHAPE = (91, 91, 1)
OWN = network_text([{"kind": "flatten"}, {"kind": "dropout", "rate": 0.5}, {"kind": "dense", "units": 1}])


def test_without_parameters_that_vary_it_the_network_is_the_recipes():
    found = varied(BASE, SHAPE, {"learning_rate": 1e-3, "l2": 1e-4})
    assert found.network() == recipe_named("default").network()
    assert found.augmentation is None


def test_the_paper_recipe_keeps_its_output():
    base = recipe_for("paper", None)
    assert varied(base, SHAPE, {}).network() == paper_network("relu")


def test_every_parameter_has_its_effect():
    params = {"width": 8, "batch_norm": "blocks", "dropout": 0.2, "initializer": "gaussian"}
    found = varied(BASE, (96, 96, 3), params)
    variant = PaperVariant(8, "blocks", 0.2, "gaussian", (96, 96, 3))
    assert found.network() == paper_network("linear", variant)


@pytest.mark.parametrize(("strength", "rotation"), [(0.0, None), (0.5, 5.0), (2.0, 20.0)])
def test_the_augmentation_has_the_strength_that_is_asked_for(strength, rotation):
    found = varied(BASE, SHAPE, {"augmentation": strength}).augmentation
    assert (found and found.rotation) == rotation
    assert found is None or found.flip == Augmentation().flip


def test_a_network_of_the_users_own_takes_the_datasets_shape_and_the_rate_of_dropout():
    found = varied(recipe_for("default", OWN), (8, 8, 3), {"dropout": 0.1}).network()
    assert found.layers == (Flatten(), Dropout(0.1), Dense(1, "linear"))
    assert found.input_shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"width": 32}, "width can only be varied in the paper's network; leave width out, or the network"),
        ({"batch_norm": "dense"}, "batch_norm can only be varied in the paper's network; leave batch_norm out"),
        ({"dropout": 0.1}, "dropout is varied, but the network has no dropout layer; add one to it"),
    ],
)
def test_what_would_be_without_effect_on_a_network_of_the_users_own_is_refused(params, said):
    own = recipe_for("default", network_text([{"kind": "flatten"}, {"kind": "dense", "units": 1}]))
    with pytest.raises(SearchError, match=said):
        varied(own, SHAPE, params)


def test_an_experiment_may_have_another_recipe_a_residual_network_and_a_balanced_loss():
    made = varied(BASE, SHAPE, {"recipe": "paper", "architecture": "residual", "weighting": "balanced"})
    assert (made.name, made.balanced) == ("paper", True)
    assert made.network().layers == residual_network("relu").layers
    plain = varied(BASE, SHAPE, {"recipe": "default", "architecture": "paper", "weighting": "none"})
    assert plain == varied(BASE, SHAPE, {})


def test_another_recipe_keeps_the_users_network():
    base = replace(BASE, layers=residual_network().layers)
    assert varied(base, SHAPE, {"recipe": "paper"}).layers == base.layers
