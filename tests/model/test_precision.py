"""What bfloat16 changes: no more than another seed would."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from model.arrays import Examples
from model.engine.engine import Hyperparameters
from model.network.layers import Conv2D, Dense, Flatten, MaxPool
from model.network.network import Network
from model.training.recipe import DEFAULT, Recipe
from model.training.short_training import Budget, ShortTraining, TrainingSeeds

CONFIGURATIONS = 20
Draw = Callable[..., Examples]


class SmallRecipe(Recipe):
    """The default recipe for a network that trains in an instant."""

    def network(self) -> Network:
        convolutions = (Conv2D(8, batch_norm=True), MaxPool(), Conv2D(8, batch_norm=True))
        return Network((*convolutions, Flatten(), Dense(8), Dense(1, self.output)), (12, 12, 1))


def scores(precision: str, seed: int, splits: tuple[Examples, Examples]) -> np.ndarray:
    """Validation errors of 20 configurations spread over the ranges, each trained shortly."""
    recipe = SmallRecipe(**{field.name: getattr(DEFAULT, field.name) for field in fields(Recipe)})
    short = ShortTraining(recipe, 8, *splits, precision)
    stream = np.random.default_rng(0)
    found = []
    for place in range(CONFIGURATIONS):
        training = Hyperparameters(10 ** stream.uniform(-5, -1.5), 10 ** stream.uniform(-6, 0))
        draws = TrainingSeeds(*(1000 * seed + 10 * place + purpose for purpose in range(3)))
        found.append(short.run(training, Budget(120, 3), draws, lambda _epoch, _mae: None).validation_mae)
    return np.array(found)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's."""
    ranks = [np.argsort(np.argsort(each)) for each in (first, second)]
    return float(np.corrcoef(*ranks)[0, 1])


def test_bfloat16_ranks_and_scores_trials_as_float32_does_within_the_noise_of_seeds(draw_examples: Draw) -> None:
    splits = draw_examples(300, seed=1), draw_examples(100, seed=2)
    exact, other_seed = (scores("float32", seed, splits) for seed in (1, 2))
    rounded = scores("bfloat16", 1, splits)
    assert np.ptp(exact) > 3  # else there is nothing to rank
    assert rank_correlation(exact, rounded) >= rank_correlation(exact, other_seed)
    assert np.abs(exact - rounded).mean() <= np.abs(exact - other_seed).mean()
    assert rounded.min() == pytest.approx(exact.min(), abs=np.abs(exact - other_seed).max())
