"""A study's trials as the report shows them, and what Optuna says of its parameters' importance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from search.study.study import Study

LEAST_TRIALS = 10
"""Below which nothing is said of importance."""

TOP_SHARE, TOP_TRIALS = 0.1, 5
"""The trials that importance is asked about: the best tenth, but at least five, as Optuna advises for PED-ANOVA."""


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """A finished trial of a stage that samples: its place, its errors, its parameters.

    `curve` is what the trial has reported epoch by epoch: the validation error where it validates on its way, else that
    of training.
    """

    number: int
    stage: int
    slot: int
    score: float
    validation_mae: float
    training_mae: float
    params: dict[str, Any]
    curve: tuple[float, ...]

    @property
    def validates(self) -> bool:
        """Whether what it has reported is a validation error, on all images or on pruning's part of them.

        Else the last one is the training error that it ended with.
        """
        return self.curve[-1:] not in ((), (self.training_mae,))


def frozen_trials(study: Study) -> tuple[FrozenTrial, ...]:
    """Return the trials of the sampled stages that finished with a value, in the order of their numbers."""
    trials = study.storage.rdb.get_all_trials(study.id, deepcopy=False, states=(TrialState.COMPLETE,))
    # Finalists come after the stages that sample; trials of others have no stage.
    return tuple(trial for trial in trials if 1 <= trial.user_attrs.get("stage", 0) <= len(study.spec.trials))


def shown(trial: FrozenTrial) -> ShownTrial:
    """Return an Optuna trial as the report shows it."""
    reported = trial.intermediate_values
    return ShownTrial(
        number=trial.number,
        stage=trial.user_attrs["stage"],
        slot=trial.user_attrs["slot"],
        score=trial.values[0],
        validation_mae=trial.user_attrs["validation_mae"],
        training_mae=trial.user_attrs["training_mae"],
        params=dict(trial.params),
        curve=tuple(reported[epoch] for epoch in sorted(reported)),
    )


def importances(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Return each parameter's share of what sets the best trials apart; {} for fewer than `LEAST_TRIALS`.

    PED-ANOVA over one stage's trials, which all come from one box, so that it measures the box and not its narrowing.
    """
    if len(trials) < LEAST_TRIALS:
        return {}
    study = optuna.create_study()
    study.add_trials(trials)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=max(TOP_SHARE, TOP_TRIALS / len(trials)))
    return get_param_importances(study, evaluator=evaluator)
