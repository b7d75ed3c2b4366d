"""A short training on a subset of the images and its score: what a search runs many times."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model.arrays import Examples, Labels, Rows
from model.engine.engine import Engine, Hyperparameters
from model.errors import ModelError
from model.network.checks import require_count
from model.network.network import Network, require_reachable
from model.training.recipe import Recipe, factors


class DivergedError(ModelError):
    """A training whose error or predictions are no longer finite numbers; the message says where."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a short training may use: `images` of the training split, and `epochs` over them.

    Raises ModelError for a number below 1.
    """

    images: int
    epochs: int

    def __post_init__(self) -> None:
        require_count("images", self.images)
        require_count("epochs", self.epochs)


@dataclass(frozen=True, slots=True)
class TrainingSeeds:
    """The seeds of everything random in a short training: which images, which initial weights, which order."""

    subset: int
    weights: int
    order: int


@dataclass(frozen=True, slots=True)
class Score:
    """What a short training came to: mean absolute errors in the labels' unit, and the penalty of the final weights.

    `training_mae` is over the last epoch, each image as it was predicted just before it was learnt from, like Keras'.
    """

    training_mae: float
    validation_mae: float
    penalty: float


class ShortTraining:
    """Trains one network again and again, each time from the beginning, on subsets of `training`.

    `batch_size` is the images a step. Raises ModelError where that is below 1 or the data does not fit the network.
    """

    def __init__(
        self, recipe: Recipe, batch_size: int, training: Examples, validation: Examples, precision: str
    ) -> None:
        require_count("batch_size", batch_size)
        network = recipe.network()
        require_fitting(network, training, validation)
        self.recipe, self.validation = recipe, validation
        self.mean_label = float(training.labels.mean())
        self.total = len(training)
        self.engine = Engine(network, training, recipe.setup(batch_size, precision))
        self._rows = np.arange(self.total, dtype=np.int32)

    def run(
        self,
        hyperparameters: Hyperparameters,
        budget: Budget,
        draws: TrainingSeeds,
        after_epoch: Callable[[int, float], None],
    ) -> Score:
        """Train once and score; `after_epoch(epoch, training MAE)` is called after each, from 1.

        The result depends on the arguments alone, bit for bit on a CPU. Raises ModelError where the budget asks for
        more images than there are, DivergedError, and whatever `after_epoch` raises to stop it.
        """
        if budget.images > self.total:
            raise ModelError(f"images is {budget.images}; the training split has {self.total}: choose 1 to that many")
        self.engine.reset(draws.weights, self.mean_label if self.recipe.bias_at_mean else 0.0)
        rows = np.random.default_rng(draws.subset).permutation(self.total)[: budget.images].astype(np.int32)
        self._rows = rows
        orders = np.random.default_rng(draws.order)
        mae = math.nan
        steps = -(-len(rows) // self.engine.setup.batch_size)
        for epoch in range(1, budget.epochs + 1):
            rates = factors(self.recipe.schedule, (epoch - 1) * steps, steps, budget.epochs * steps)
            mae = self.engine.train(orders.permutation(rows), hyperparameters, rates)
            _finite(mae, f"the training error of epoch {epoch}")
            after_epoch(epoch, mae)
        return self._score(hyperparameters, mae)

    def validation_error(self, images: int | None = None) -> float:
        """Return the validation error of the training that goes on as it stands now; it changes nothing of how it ends.

        With `images` it is that of as many validation images at most, the same in every training, with batch-norm
        statistics of as many of its training images. Raises DivergedError where it is not finite.
        """
        if self.recipe.precise_batch_norm:
            self.engine.precise_batch_norm(self._rows[:images])
        part = spread(self.validation.labels, images)
        predictions = self.engine.predict(self.validation.images[part])
        return _finite(mean_error(predictions, self.validation.labels[part]), "the validation error")

    def _score(self, hyperparameters: Hyperparameters, mae: float) -> Score:
        validation = self.validation_error()
        penalty = _finite(hyperparameters.l2 * self.engine.penalised_sum(), "the penalty")
        return Score(mae, validation, penalty)


def require_fitting(network: Network, training: Examples, validation: Examples) -> None:
    """Raise ModelError unless `network` takes images of both splits' shape, and can answer all training labels."""
    require_reachable(network, float(training.labels.min()), float(training.labels.max()))
    for name, examples in (("training", training), ("validation", validation)):
        if examples.image_shape != network.input_shape:
            raise ModelError(
                f"the {name} images are {examples.image_shape}; the network takes {network.input_shape}: "
                "build the dataset in that size"
            )


def spread(labels: Labels, count: int | None) -> Rows | slice:
    """Return `count` rows at equal distances in the order of the labels, so that each value has its share; or all."""
    if count is None or count >= len(labels):
        return slice(None)
    places = (np.arange(count) + 0.5) * len(labels) / count
    return np.argsort(labels, kind="stable")[places.astype(np.int32)].astype(np.int32)


def mean_error(predictions: Labels, labels: Labels) -> float:
    """Return the mean absolute error (paper, equation 2), summed in float64."""
    return float(np.abs(predictions.astype(np.float64) - labels).mean())


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise DivergedError(f"{what} is {value}")
    return value
