from dataclasses import replace

import pytest

from model.augmentation import Augmentation
from model.layers import Dense, Dropout, Flatten
from model.paper import PaperVariant, paper_network
from model.recipe import recipe_named
from model.residual import residual_network
from search.space.network_file import network_text
from search.space.variation import Variation, recipe_for, variation

BASE = Variation(recipe_for("default", None), 32)
SHAPE = (91, 91, 1)
OWN = network_text([{"kind": "flatten"}, {"kind": "dropout", "rate": 0.5}, {"kind": "dense", "units": 1}])


def test_without_parameters_that_vary_it_the_network_is_the_recipes():
    found = variation(BASE, SHAPE, {"learning_rate": 1e-3, "l2": 1e-4})
    assert found.recipe.network() == recipe_named("default").network()
    assert found.batch_size == 32
    assert found.recipe.augmentation is None


def test_the_paper_recipe_keeps_its_output():
    base = Variation(recipe_for("paper", None), 32)
    assert variation(base, SHAPE, {}).recipe.network() == paper_network("relu")


def test_every_parameter_has_its_effect():
    params = {"width": 8, "batch_norm": "blocks", "dropout": 0.2, "initializer": "gaussian", "batch_size": 16}
    found = variation(BASE, (96, 96, 3), params)
    variant = PaperVariant(8, "blocks", 0.2, "gaussian", (96, 96, 3))
    assert found.recipe.network() == paper_network("linear", variant)
    assert found.batch_size == 16


@pytest.mark.parametrize(("strength", "rotation"), [(0.0, None), (0.5, 5.0), (2.0, 20.0)])
def test_the_augmentation_has_the_strength_that_is_asked_for(strength, rotation):
    found = variation(BASE, SHAPE, {"augmentation": strength}).recipe.augmentation
    assert (found and found.rotation) == rotation
    assert found is None or found.flip == Augmentation().flip


def test_a_network_of_the_users_own_takes_the_datasets_shape_and_the_rate_of_dropout():
    found = variation(Variation(recipe_for("default", OWN), 32), (8, 8, 3), {"dropout": 0.1}).recipe.network()
    assert found.layers == (Flatten(), Dropout(0.1), Dense(1))
    assert found.input_shape == (8, 8, 3)


def test_an_experiment_may_have_another_recipe_a_residual_network_and_a_balanced_loss():
    made = variation(BASE, SHAPE, {"recipe": "paper", "architecture": "residual", "weighting": "balanced"})
    assert (made.recipe.name, made.recipe.balanced) == ("paper", True)
    assert made.recipe.network().layers == residual_network("relu").layers
    plain = variation(BASE, SHAPE, {"recipe": "default", "architecture": "paper", "weighting": "none"})
    assert plain == variation(BASE, SHAPE, {})


def test_another_recipe_keeps_the_users_network():
    base = Variation(replace(BASE.recipe, layers=residual_network().layers), 32)
    assert variation(base, SHAPE, {"recipe": "paper"}).recipe.layers == base.recipe.layers
