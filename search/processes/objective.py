"""The objective, where the rooms meet: a slot's seeds and parameters go in, a short training's score comes out."""

import time
from collections.abc import Mapping
from functools import lru_cache

from data.arrays import Split
from model.engine import Hyperparameters
from model.examples import Examples
from model.recipe import Recipe
from model.short_training import Budget, DivergedError, Draws, Score, ShortTraining
from search.errors import TrialPruned, TrialStopped
from search.processes.keeping import Keeper
from search.processes.loop import TrialTask
from search.space.ranges import Value
from search.space.variation import recipe_for, varied
from search.study.spec import StudySpec
from search.study.trials import Diverged, Ending, Pruned, TrialOutcome

COMPILED = 4
"""Compiled networks that a worker keeps; one for all trials, unless the space varies what is compiled."""

ANY_RATE = 0.0
"""What the dropout layers have of their own in a network whose rate is an argument of each training."""


class Objective:
    """Runs trials of one study in this process, on networks that are compiled once for the trials that share them."""

    def __init__(self, spec: StudySpec, training: Split, validation: Split) -> None:
        self._recipe = recipe_for(spec.recipe, spec.network)
        self._batch_size, self._precision = spec.batch_size, spec.precision
        self._training = Examples(training.images, training.labels)
        self._validation = Examples(validation.images, validation.labels)
        self._limits = (float(training.labels.min()), float(training.labels.max()))
        self._compiled = lru_cache(COMPILED)(self._compile)

    def training_for(self, params: Mapping[str, Value]) -> ShortTraining:
        """Return the compiled network for these parameters; any rate of dropout is for the same one."""
        rate = {"dropout": ANY_RATE} if "dropout" in params else {}
        recipe = varied(self._recipe, self._training.image_shape, {**params, **rate})
        return self._compiled(recipe, int(params.get("batch_size", self._batch_size)))

    def __call__(self, task: TrialTask) -> Ending:
        """Train as `task` says; raises TrialStopped, between two epochs, where it is told to stop."""
        start, curve = time.perf_counter(), task.assignment.curve
        training, maes = self.training_for(task.params), []
        keeper = Keeper(task.assignment.keeping, training, self._limits)

        def after_epoch(epoch: int, mae: float) -> None:
            if task.is_stopping():
                raise TrialStopped
            maes.append(mae)
            error = _error_on_the_way(task, training)
            keeper.look(epoch, error)
            task.report(epoch, mae, error)
            if epoch < task.assignment.epochs and (reason := task.why_pruned()):
                raise TrialPruned(reason)

        budget = Budget(task.assignment.images, task.assignment.epochs)
        draws = Draws(task.seeds.subset, task.seeds.weights, task.seeds.order)
        try:
            score = training.run(_arguments(task), budget, draws, after_epoch)
        except DivergedError as error:
            return Diverged(str(error))
        except TrialPruned as pruned:
            return Pruned(str(pruned), len(maes), time.perf_counter() - start)
        for name, content in keeper.files():
            task.keep(name, content)
        return TrialOutcome(
            score=min(maes) if curve == "training" else _ranked_by(score, training.recipe),
            validation_mae=score.validation_mae,
            training_mae=score.training_mae,
            penalty=score.penalty,
            seconds=time.perf_counter() - start,
            training_curve=tuple(maes) if curve != "none" else (),
        )

    def _compile(self, recipe: Recipe, batch_size: int) -> ShortTraining:
        return ShortTraining(recipe, batch_size, self._training, self._validation, self._precision)


def _error_on_the_way(task: TrialTask, training: ShortTraining) -> float | None:
    if task.assignment.curve == "validation":
        return training.validation_error()
    pruning = task.assignment.pruning
    return None if pruning is None else training.validation_error(pruning.images)


def _ranked_by(score: Score, recipe: Recipe) -> float:
    return score.validation_mae + (score.penalty if recipe.penalty_in_score else 0)


def _arguments(task: TrialTask) -> Hyperparameters:
    dropout = task.params.get("dropout")
    return Hyperparameters(
        float(task.params["learning_rate"]), float(task.params["l2"]), None if dropout is None else float(dropout)
    )
