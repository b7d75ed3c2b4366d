"""The recipes: what they do differently, and that there is no other."""

from dataclasses import replace

import numpy as np
import pytest

from model.engine.setup import Augmentation, Setup
from model.errors import ModelError
from model.network.layers import AveragePool, Dense
from model.network.paper import PaperVariant, paper_network
from model.network.residual import pooled_network, residual_network, with_expectation
from model.training.recipe import DEFAULT, LIGHT, PAPER, STRONG, factors, recipe_named


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
    assert (PAPER.momentum, PAPER.bias_at_mean, PAPER.precise_batch_norm) == (0.99, False, False)
    assert PAPER.penalty_in_score


def test_the_default_recipe_ends_linearly_at_the_mean_and_measures_its_statistics() -> None:
    assert DEFAULT.network().layers[-1] == Dense(1, "linear")
    assert (DEFAULT.momentum, DEFAULT.bias_at_mean, DEFAULT.precise_batch_norm) == (0.9, True, True)
    assert not DEFAULT.penalty_in_score


def test_the_strong_recipe_augments_decays_and_lets_the_rate_fall() -> None:
    assert STRONG.network().layers == with_expectation(pooled_network().layers, 92)
    assert STRONG.network().parameters < 1_500_000
    assert (STRONG.schedule, STRONG.augmentation, STRONG.decay) == ("cosine", Augmentation(), 0.2)
    assert STRONG.test_time_augmentation
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


def test_a_constant_schedule_is_one_throughout() -> None:
    assert factors("constant", 7, 5, 100).tolist() == [1] * 5


def test_the_cosine_climbs_over_the_first_twentieth_and_falls_to_nothing() -> None:
    found = factors("cosine", 0, 200, 200)
    assert found[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert (np.diff(found[9:]) < 0).all()
    assert found[104] == pytest.approx(0.5, abs=1e-6)
    assert found[-1] == pytest.approx(0, abs=1e-6)


def test_pieces_of_a_schedule_are_the_whole_one() -> None:
    pieces = [factors("cosine", first, 32, 160) for first in range(0, 160, 32)]
    assert np.array_equal(np.concatenate(pieces), factors("cosine", 0, 160, 160))


@pytest.mark.parametrize("total", [1, 2, 5])
def test_the_shortest_schedules_are_finite_and_begin_above_nothing(total: int) -> None:
    found = factors("cosine", 0, total, total)
    assert np.isfinite(found).all()
    assert found[0] > 0
