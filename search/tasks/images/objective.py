"""The objective, where the rooms meet: a slot's seeds and parameters go in, a short training's score comes out."""

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Final

from data.arrays import Split
from model.arrays import Examples
from model.engine.engine import Hyperparameters
from model.results.answers import Answers
from model.training.recipe import Recipe
from model.training.short_training import Budget, DivergedError, Score, ShortTraining, TrainingSeeds
from search.errors import TrialPruned, TrialStopped
from search.space.ranges import Value
from search.study.task import TaskSpec
from search.study.trial import Diverged, Ending, Measure, Outcome, Pruned, Trial
from search.tasks.images.keeping import Keeper
from search.tasks.images.learning_curve import draw_curve
from search.tasks.images.options import TRAINING_CURVE, curve_of, keeping_of
from search.tasks.images.specifying import network_of
from search.tasks.images.variation import recipe_for, varied

CURVE_FILE: Final = "learning_curve.svg"

COMPILED = 4
"""Compiled networks that a worker keeps; one for all trials, unless the space varies what is compiled."""

ANY_RATE = 0.0
"""What the dropout layers have of their own in a network whose rate is an argument of each training."""


class Objective:
    """Runs trials of one study in this process, on networks that are compiled once for the trials that share them."""

    def __init__(self, task: TaskSpec, training: Split, validation: Split) -> None:
        self._recipe = recipe_for(str(task.settings["recipe"]), network_of(task))
        self._batch_size, self._precision = int(task.settings["batch_size"] or 0), str(task.settings["precision"])
        self._pruning_images = int(task.settings["pruning_images"] or 0)
        self._training = Examples(training.images, training.labels)
        self._validation = Examples(validation.images, validation.labels)
        self._errors = task.score.labelled("MAE")
        self._answers = Answers(task.score.unit, float(training.labels.min()), float(training.labels.max()))
        self._compiled = lru_cache(COMPILED)(self._compile)

    def training_for(self, params: Mapping[str, Value]) -> ShortTraining:
        """Return the compiled network for these parameters; any rate of dropout is for the same one."""
        rate = {"dropout": ANY_RATE} if "dropout" in params else {}
        recipe = varied(self._recipe, self._training.image_shape, {**params, **rate})
        return self._compiled(recipe, int(params.get("batch_size", self._batch_size)))

    def __call__(self, trial: Trial) -> Ending:
        """Train as `trial` says; raises TrialStopped, between two epochs, where it is to stop."""
        course = self._course(trial)
        budget = Budget(int(trial.budget["images"]), int(trial.budget["epochs"]))
        draws = TrainingSeeds(trial.seeds.subset, trial.seeds.weights, trial.seeds.order)
        try:
            score = course.training.run(_arguments(trial), budget, draws, course.after_epoch)
        except DivergedError as error:
            return Diverged(str(error), self._drawn(course))
        except TrialPruned as pruned:
            return Pruned(str(pruned), len(course.maes), self._drawn(course))
        measures: dict[str, Measure] = {
            "validation_mae": score.validation_mae,
            "training_mae": score.training_mae,
            "penalty": score.penalty,
        }
        if course.curve != "none":
            measures[TRAINING_CURVE] = tuple(course.maes)
        ranked = min(course.maes) if course.curve == "training" else _ranked_by(score, course.training.recipe)
        files = dict(course.keeper.files()) | self._drawn(course, score.validation_mae)
        return Outcome(ranked, measures, files)

    def _course(self, trial: Trial) -> "_Course":
        training = self.training_for(trial.params)
        keeper = Keeper(keeping_of(trial.options), training, self._answers)
        return _Course(trial, training, keeper, self._pruning_images if trial.prunes else None)

    def _drawn(self, course: "_Course", validation: float | None = None) -> dict[str, bytes]:
        """Return the learning curve as a file, if there is one to draw and a folder to keep it in."""
        if course.trial.folder is None or not course.maes or not all(map(isfinite, course.maes)):
            return {}
        if validation is not None and not isfinite(validation):
            validation = None
        trial, training = course.trial, dict(enumerate(course.maes, start=1))
        title = f"stage {trial.stage}, slot {trial.slot}, attempt {trial.attempt}"
        return {CURVE_FILE: draw_curve(training, validation, title, self._errors)}

    def _compile(self, recipe: Recipe, batch_size: int) -> ShortTraining:
        return ShortTraining(recipe, batch_size, self._training, self._validation, self._precision)


class _Course:
    """The training of one trial as it goes on: its training error of each epoch, and what it keeps and reports."""

    def __init__(self, trial: Trial, training: ShortTraining, keeper: Keeper, pruning_images: int | None) -> None:
        self.trial, self.training, self.keeper = trial, training, keeper
        self.curve, self._part = curve_of(trial.options), pruning_images
        self.maes: list[float] = []

    def after_epoch(self, epoch: int, mae: float) -> None:
        """Report an epoch: the validation error where there is one, else that of training."""
        if self.trial.should_stop():
            raise TrialStopped
        self.maes.append(mae)
        error = self._validation_error()
        self.keeper.look(epoch, error)
        self.trial.report(epoch, mae if error is None else error)
        if epoch < self.trial.budget["epochs"] and (reason := self.trial.should_prune()):
            raise TrialPruned(reason)

    def _validation_error(self) -> float | None:
        if self.curve == "validation":
            return self.training.validation_error()
        return None if self._part is None else self.training.validation_error(self._part)


def _ranked_by(score: Score, recipe: Recipe) -> float:
    return score.validation_mae + (score.penalty if recipe.penalty_in_score else 0)


def _arguments(trial: Trial) -> Hyperparameters:
    dropout = trial.params.get("dropout")
    return Hyperparameters(
        float(trial.params["learning_rate"]), float(trial.params["l2"]), None if dropout is None else float(dropout)
    )
