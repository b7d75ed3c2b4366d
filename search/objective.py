"""The objective, where the rooms meet: a slot's seeds and parameters go in, a short training's score comes out."""

import time

from data.arrays import Split
from model.engine import Training
from model.examples import Examples
from model.recipe import recipe_named
from model.training import Budget, DivergedError, Draws, ShortTraining
from search.errors import TrialStopped
from search.study import StudySpec
from search.trials import Diverged, TrialOutcome
from search.worker import TrialTask


class Objective:
    """Runs trials of one study in this process, with one compiled network for all of them."""

    def __init__(self, spec: StudySpec, training: Split, validation: Split) -> None:
        self._recipe = recipe_named(spec.recipe)
        self.training = ShortTraining(
            self._recipe,
            spec.batch_size,
            Examples(training.images, training.labels),
            Examples(validation.images, validation.labels),
            spec.precision,
        )

    def __call__(self, task: TrialTask) -> TrialOutcome | Diverged:
        """Train as `task` says; raises TrialStopped, between two epochs, where it is told to stop."""

        def after_epoch(_epoch: int, _mae: float) -> None:
            if task.stopping:
                raise TrialStopped

        training = Training(task.params["learning_rate"], task.params["l2"])
        budget = Budget(task.assignment.images, task.assignment.epochs)
        draws = Draws(task.seeds.subset, task.seeds.weights, task.seeds.order)
        start = time.perf_counter()
        try:
            score = self.training.run(training, budget, draws, after_epoch)
        except DivergedError as error:
            return Diverged(str(error))
        return TrialOutcome(
            score=score.validation_mae + (score.penalty if self._recipe.penalty_in_score else 0),
            validation_mae=score.validation_mae,
            training_mae=score.training_mae,
            penalty=score.penalty,
            seconds=time.perf_counter() - start,
        )
