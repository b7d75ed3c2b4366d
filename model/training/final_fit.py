"""The final fit: all the training images, epoch by epoch, keeping the weights whenever validation improves.

Early stopping as in the paper (section IV-B): training may go on, and what is kept is the epoch with the lowest
validation error. The whole state is offered to `keep` after every epoch; a fit continued from it ends as if
undisturbed.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.arrays import Examples, Rows
from model.engine.engine import Engine, Hyperparameters, Snapshot
from model.errors import ModelError
from model.network.checks import require_count
from model.network.initializers import Weights
from model.training.history import Epoch, kept
from model.training.recipe import Recipe, factors
from model.training.short_training import DivergedError, mean_error, require_fitting

STATISTICS_IMAGES = 1000
"""Images on which batch-norm statistics are recomputed before each validation, where the recipe asks for it."""

STEPS_A_CALL = 32
"""Training steps between two looks at whether to stop: a few seconds."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How long and how to fit; `patience` in epochs without improvement, `time_limit` in seconds of training.

    Raises ModelError for values that make no sense.
    """

    learning_rate: float
    l2: float
    epochs: int
    batch_size: int = 32
    seed: int = 0
    patience: int | None = None
    time_limit: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < math.inf:
            raise ModelError(f"learning_rate is {self.learning_rate}; it must be a finite number above 0")
        if not 0 <= self.l2 < math.inf:
            raise ModelError(f"l2 is {self.l2}; it must be a finite number of at least 0")
        for name, value in (("epochs", self.epochs), ("batch_size", self.batch_size), ("patience", self.patience)):
            if value is not None:
                require_count(name, value)
        if self.time_limit is not None and not self.time_limit > 0:
            raise ModelError(f"time_limit is {self.time_limit}; it must be above 0 seconds")


@dataclass(frozen=True, slots=True, eq=False)
class FitState:
    """A fit between two epochs: where training stands, the history so far, and the best weights."""

    snapshot: Snapshot
    history: tuple[Epoch, ...]
    best_weights: Weights

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights are kept, or None before the first."""
        return kept(self.history) if self.history else None


class FinalFit:
    """Trains the recipe's network on all of `training`, judged on `validation` after every epoch.

    Raises ModelError for images of another shape than the network's, and for a time limit where the rate follows a
    schedule: it would fall over the epochs, however far the time goes, or be another one after every interruption.
    """

    def __init__(
        self, recipe: Recipe, settings: FitSettings, training: Examples, validation: Examples, precision: str
    ) -> None:
        if settings.time_limit is not None and recipe.schedule != "constant":
            raise ModelError(
                f"time_limit is {settings.time_limit:g} seconds, but the learning rate of the recipe {recipe.name!r} "
                f"falls to 0 over all {settings.epochs} epochs; choose as many epochs as there is time for instead"
            )
        network = recipe.network()
        require_fitting(network, training, validation)
        self.recipe, self.settings, self.validation = recipe, settings, validation
        self._count, self._mean_label = len(training), float(training.labels.mean())
        self._limits = float(training.labels.min()), float(training.labels.max())
        self.engine = Engine(network, training, recipe.setup(settings.batch_size, precision))

    def start(self) -> FitState:
        """Return the state before the first epoch."""
        self.engine.reset(self.settings.seed, self._mean_label if self.recipe.bias_at_mean else 0.0)
        snapshot = self.engine.snapshot()
        return FitState(snapshot, (), self.engine.weights)

    def run(
        self, state: FitState, keep: Callable[[FitState], None], progress: Callable[[int, float], None]
    ) -> FitState:
        """Train from `state` to the end and return the last state.

        `keep(state)` is called after every epoch; `progress(epoch, share of it done)` every few seconds, and may raise
        to stop. Raises DivergedError where an error is no longer a finite number.
        """
        self.engine.restore(state.snapshot)
        while not self.finished(state):
            state = self._epoch(state, progress)
            keep(state)
        return state

    def finished(self, state: FitState) -> bool:
        """Whether the epochs, the patience or the time are used up."""
        done, best = len(state.history), state.best
        if done >= self.settings.epochs:
            return True
        if best and self.settings.patience is not None and done - best.epoch >= self.settings.patience:
            return True
        spent = sum(epoch.seconds for epoch in state.history)
        return self.settings.time_limit is not None and spent >= self.settings.time_limit

    def _epoch(self, state: FitState, progress: Callable[[int, float], None]) -> FitState:
        number, start = len(state.history) + 1, time.perf_counter()
        training_mae = self._train(number, progress)
        snapshot = self.engine.snapshot()
        if self.recipe.precise_batch_norm:
            self.engine.precise_batch_norm(self._statistics_rows())
        answers = np.clip(self.engine.predict(self.validation.images), *self._limits)  # as the exported network does
        validation_mae = mean_error(answers, self.validation.labels)
        penalty = self.settings.l2 * self.engine.penalised_sum()  # a ReLU output answers 0 where weights are NaN
        if not math.isfinite(training_mae + validation_mae + penalty):
            raise DivergedError(
                f"epoch {number} has a training error of {training_mae}, a validation error of {validation_mae} and "
                f"a penalty of {penalty}; lower the learning rate"
            )
        better = state.best is None or validation_mae < state.best.validation_mae
        judged = self.engine.weights if better else state.best_weights
        self.engine.restore(snapshot)
        row = Epoch(number, training_mae, validation_mae, time.perf_counter() - start, better)
        return replace(state, snapshot=snapshot, history=(*state.history, row), best_weights=judged)

    def _train(self, number: int, progress: Callable[[int, float], None]) -> float:
        hyperparameters = Hyperparameters(self.settings.learning_rate, self.settings.l2)
        order = np.random.default_rng([self.settings.seed, number]).permutation(self._count).astype(np.int32)
        size, total, rates = STEPS_A_CALL * self.settings.batch_size, 0.0, self._rates(number)
        for call, start in enumerate(range(0, len(order), size)):
            progress(number, start / len(order))
            rows = order[start : start + size]
            own = rates[call * STEPS_A_CALL : (call + 1) * STEPS_A_CALL]
            total += self.engine.train(rows, hyperparameters, own) * len(rows)
        return total / len(order)

    def _rates(self, number: int) -> npt.NDArray[np.float32]:
        """Return the schedule's factors of one epoch's steps."""
        steps = -(-self._count // self.settings.batch_size)
        return factors(self.recipe.schedule, (number - 1) * steps, steps, self.settings.epochs * steps)

    def _statistics_rows(self) -> Rows:
        rows = np.random.default_rng([self.settings.seed, 0]).permutation(self._count)
        return rows[:STATISTICS_IMAGES].astype(np.int32)
