"""Recipes: how a network is trained and judged; how many images and epochs is a trial's budget, not its recipe."""

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from model.engine.setup import Augmentation, Setup
from model.errors import ModelError
from model.network.layers import Layer
from model.network.network import Network
from model.network.paper import UNVARIED, PaperVariant, paper_network, with_dropout
from model.network.residual import pooled_network, residual_network, with_expectation

Schedule: TypeAlias = Literal["constant", "cosine"]

RecipeName: TypeAlias = Literal["default", "paper", "strong", "light"]
Architecture: TypeAlias = Literal["paper", "residual", "pooled"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained and judged.

    `output` is the last layer's activation. `bias_at_mean` starts its bias at the mean training label. `momentum` is
    batch normalisation's. `precise_batch_norm` measures batch-norm statistics anew, under the final weights, before
    validation. `penalty_in_score` adds the penalty to the validation error that ranks trials. `schedule` is that of the
    learning rate over a whole training. `augmentation`, `decay` and `balanced` are those of `Setup`.
    `test_time_augmentation` has the exported model answer the mean over an image and its mirror image. `architecture`
    is the network, which ends in the expectation over `distribution` values where that is above 0. `layers` are a
    network of the user's own instead, and `variant` says what is varied about either. `measured_rate` is the learning
    rate that it was measured with, and without L2, which would act next to the decay; None where both are the search's
    to find.
    """

    name: RecipeName
    output: Literal["linear", "relu"]
    bias_at_mean: bool
    momentum: float
    precise_batch_norm: bool
    penalty_in_score: bool
    schedule: Schedule = "constant"
    augmentation: Augmentation | None = None
    decay: float = 0.0
    balanced: bool = False
    test_time_augmentation: bool = False
    architecture: Architecture = "paper"
    distribution: int = 0
    layers: tuple[Layer, ...] | None = None
    variant: PaperVariant = UNVARIED
    measured_rate: float | None = None

    def setup(self, batch_size: int, precision: str) -> Setup:
        """Return what an engine for this recipe is compiled with."""
        return Setup(batch_size, self.momentum, precision, self.augmentation, self.decay, self.balanced)

    def network(self) -> Network:
        """Return this recipe's network, or the user's own; as a variant where there is one."""
        layers = self.layers or self._own_layers()
        if self.layers and self.variant.dropout is not None:
            layers = with_dropout(layers, self.variant.dropout)
        return Network(layers, self.variant.input_shape, self.variant.initializer)

    def _own_layers(self) -> tuple[Layer, ...]:
        if self.architecture == "paper":
            layers = paper_network(self.output, self.variant).layers
        elif self.variant.changes_layers:
            raise ModelError(
                "width, batch_norm and dropout vary the paper's network, not a residual one; leave them out, or choose "
                "another recipe"
            )
        elif self.architecture == "pooled":
            layers = pooled_network(self.output, self.variant.input_shape).layers
        else:
            layers = residual_network(self.output).layers
        return with_expectation(layers, self.distribution) if self.distribution else layers


PAPER = Recipe("paper", "relu", False, 0.99, False, True)
"""The paper's protocol to the letter: a trial's score is Keras' `evaluate()` loss, penalty included."""

DEFAULT = Recipe("default", "linear", True, 0.9, True, False)
"""The same budget without the paper's measuring faults.

After 80 steps, momentum 0.99 leaves 0.99^80 = 45 % of the initial moving statistics in the validation, a bias of 0 has
to climb to the mean age first, a ReLU output can die at 0, and the penalty would rank trials by itself.
"""

STRONG = Recipe(
    "strong", "linear", True, 0.9, False, False, "cosine", Augmentation(), decay=0.2, test_time_augmentation=True,
    architecture="pooled", distribution=92, measured_rate=1e-3,
)  # fmt: skip
"""For the final fit: as many different images as there are steps, a rate that climbs, then falls to 0, and a network
that answers how likely each of 80 ages is (and six beyond either end).

Measured with a learning rate of 1e-3 and no L2 on the paper's data: 60 epochs came to a validation error of 5.02 years
with the mirror image averaged in, and to a test error of 5.21; the paper's protocol came to 6.28 and 6.41 after 50. The
network was chosen by 30 epochs: 5.32 years of validation error where the paper's, with the same output, came to 5.37.
Its mean was weighed later: 60 epochs had come to 5.04 and 5.30 without. What follows was measured without. The
distribution was chosen by eight epochs of the light network: 7.40 where a single output came to 7.57. The decay forgets
over half of such a training: 1/(1e-3 · 0.2) is 5,000 of 10,000 steps (Wang & Aitchison, 2024, "How to set AdamW's
weight decay as you scale model and dataset size"). What did not help: an average of the weights (0.999, statistics
recomputed on plain images), batches of 16 (given up after 23 of 30 epochs), mixing images in pairs (5.62 years after 30
epochs), and learning half from a teacher with averaged weights (6.66). What made no difference beyond chance: in 30
epochs, sharpness-aware minimisation (radius 0.1, twice the work: 5.31), momentum in Adam's place (5.34 after 28) and
two networks of half the parameters side by side, their answers averaged (5.30); in 60 epochs, a decay of 0.5 (5.02 on
validation, 5.32 on test), the same with labels half as wide (`SPREAD` 1: 5.08 on validation), every variation of the
images 1.4 times as strong (5.06 on validation), and a hundred units on 5×5 places in the place of the mean (5.04 on
validation). Of the distribution that is learnt, the median is no better an answer than the mean (5.04 where that came
to 5.02, weighed). Labels a quarter as wide were worse (5.26 without the mirror image after 57 epochs, where half as
wide came to 5.14), though better in 14 epochs of the light network.
"""

LIGHT = replace(STRONG, name="light", architecture="residual")
"""The same on the residual network, which costs a third of the work, where there is no fast device for the paper's.

On the paper's data 60 epochs of it came to a validation error of 5.38 years; with the mirror image averaged in to 5.34,
and to a test error of 5.53. With a decay of 0.05 and 80 values these were 5.57, 5.49 and 5.64. With two variations of
each image in a step (batches of 16, 30 epochs: the same work) they were worse, 5.67 and 5.56 on validation.
"""


def recipe_named(name: str) -> Recipe:
    """Return the recipe called `name`; raises ModelError where there is none."""
    for recipe in (DEFAULT, PAPER, STRONG, LIGHT):
        if recipe.name == name:
            return recipe
    raise ModelError(f"recipe is {name!r}; it must be one of {', '.join(get_args(RecipeName))}")


WARM_UP = 0.05
"""The share of all steps over which the cosine schedule first climbs from nothing."""


def factors(schedule: Schedule, first: int, count: int, total: int) -> npt.NDArray[np.float32]:
    """Return the factors of steps `first` to `first + count` (from 0) of `total`, float32 (count,).

    "cosine" climbs linearly over the first 5 % and falls to 0 along half a cosine (Loshchilov & Hutter, 2017).
    """
    if schedule == "constant":
        return np.ones(count, np.float32)
    steps = np.arange(first, first + count) + 1.0
    climb = max(1.0, WARM_UP * total)
    fallen = np.clip((steps - climb) / max(1.0, total - climb), 0, 1)
    found: npt.NDArray[np.float32] = np.minimum(steps / climb, (1 + np.cos(math.pi * fallen)) / 2).astype(np.float32)
    return found
