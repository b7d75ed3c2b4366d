"""The recipes: what they do differently, and that there is no other."""

from dataclasses import replace

import pytest

from model.engine.augmentation import Augmentation
from model.engine.setup import Setup
from model.errors import ModelError
from model.network.layers import AveragePool, Dense
from model.network.paper import PaperVariant, paper_network
from model.network.residual import pooled_network, residual_network, with_expectation
from model.training.recipe import DEFAULT, LIGHT, PAPER, STRONG, recipe_named


def test_recipes_are_found_by_their_names() -> None:
    assert recipe_named("paper") is PAPER
    assert recipe_named("default") is DEFAULT
    assert recipe_named("strong") is STRONG
    assert recipe_named("light") is LIGHT


def test_an_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="recipe is 'best'; it must be one of default, paper, strong, light"):
        recipe_named("best")


def test_the_papers_recipe_ends_in_relu_with_momentum_099_and_scores_the_penalty() -> None:
    assert PAPER.network() == paper_network("relu")
    assert (PAPER.momentum, PAPER.bias_at_mean, PAPER.recompute_statistics) == (0.99, False, False)
    assert PAPER.penalty_in_score


def test_the_default_recipe_ends_linearly_at_the_mean_and_measures_its_statistics() -> None:
    assert DEFAULT.network().layers[-1] == Dense(1, "linear")
    assert (DEFAULT.momentum, DEFAULT.bias_at_mean, DEFAULT.recompute_statistics) == (0.9, True, True)
    assert not DEFAULT.penalty_in_score


def test_the_strong_recipe_augments_decays_and_lets_the_rate_fall() -> None:
    assert STRONG.network().layers == with_expectation(pooled_network().layers, 92)
    assert STRONG.network().parameters < 1_500_000
    assert (STRONG.schedule, STRONG.augmentation, STRONG.decay) == ("cosine", Augmentation(), 0.2)
    assert STRONG.flip_averaged
    assert (DEFAULT.measured_rate, PAPER.measured_rate, STRONG.measured_rate) == (None, None, 1e-3)


def test_the_light_recipe_is_the_strong_one_on_the_residual_network() -> None:
    assert LIGHT.network().layers == with_expectation(residual_network().layers, 92)
    assert replace(LIGHT, name="strong", architecture="pooled") == STRONG


@pytest.mark.parametrize("variant", [PaperVariant(width=8), PaperVariant(batch_norm="none"), PaperVariant(dropout=0.2)])
def test_a_variant_of_the_papers_layers_is_refused_by_the_residual_networks(variant: PaperVariant) -> None:
    for recipe in (LIGHT, STRONG):
        with pytest.raises(ModelError, match="width, batch_norm and dropout vary the paper's network"):
            replace(recipe, variant=variant).network()


def test_the_strong_recipes_network_ends_in_a_mean_over_all_places_of_any_size_of_image() -> None:
    network = replace(STRONG, variant=PaperVariant(input_shape=(48, 64, 3))).network()
    assert network.input_shape == (48, 64, 3)
    assert AveragePool((5, 7)) in network.layers


def test_an_engine_is_set_up_as_the_recipe_says() -> None:
    assert PAPER.setup(64, "bfloat16") == Setup(64, 0.99, "bfloat16")
    assert STRONG.setup(32, "float32") == Setup(32, 0.9, "float32", Augmentation(), 0.2)
