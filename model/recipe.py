"""Recipes: how a network is trained and judged; how many images and epochs is a trial's budget, not its recipe."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from model.errors import ModelError
from model.network import Network
from model.paper import paper_network

RecipeName: TypeAlias = Literal["default", "paper"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained and judged.

    `output` is the last layer's activation. `bias_at_mean` starts its bias at the mean training label. `momentum` is
    batch normalisation's. `recompute_statistics` measures batch-norm statistics anew, under the final weights, before
    validation. `penalty_in_score` adds the penalty to the validation error that ranks trials.
    """

    name: RecipeName
    output: Literal["linear", "relu"]
    bias_at_mean: bool
    momentum: float
    recompute_statistics: bool
    penalty_in_score: bool

    def network(self) -> Network:
        """Return the paper's network with this recipe's output."""
        return paper_network(self.output)


PAPER = Recipe("paper", "relu", False, 0.99, False, True)
"""The paper's protocol to the letter: a trial's score is Keras' `evaluate()` loss, penalty included."""

DEFAULT = Recipe("default", "linear", True, 0.9, True, False)
"""The same budget without the paper's measuring faults.

After 80 steps, momentum 0.99 leaves 0.99^80 = 45 % of the initial moving statistics in the validation, a bias of 0 has
to climb to the mean age first, a ReLU output can die at 0, and the penalty would rank trials by itself.
"""


def recipe_named(name: str) -> Recipe:
    """Return the recipe called `name`; raises ModelError where there is none."""
    for recipe in (DEFAULT, PAPER):
        if recipe.name == name:
            return recipe
    raise ModelError(f"recipe is {name!r}; it must be one of {', '.join(get_args(RecipeName))}")
