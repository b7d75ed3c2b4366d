"""How much each parameter of a stage matters, as Optuna reckons."""

from collections.abc import Sequence

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from search.results.ranking import RankedTrial
from search.space.box import Box
from search.space.distributions import distribution_of

LEAST_TRIALS = 10
"""Below which nothing is said of importance."""

TOP_SHARE, TOP_TRIALS = 0.1, 5
"""The trials that importance is asked about: the best tenth, but at least five, as Optuna advises for PED-ANOVA."""


def importances(trials: Sequence[RankedTrial], box: Box) -> dict[str, float]:
    """Return each parameter's share of what sets the best trials apart; {} for fewer than `LEAST_TRIALS`.

    PED-ANOVA over one stage's trials, which all come from one box, so that it measures the box and not its narrowing.
    """
    if len(trials) < LEAST_TRIALS:
        return {}
    study, ranges = optuna.create_study(), {each.name: distribution_of(each) for each in box.ranges}
    study.add_trials(create_trial(params=each.params, distributions=ranges, value=each.score) for each in trials)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=max(TOP_SHARE, TOP_TRIALS / len(trials)))
    return get_param_importances(study, evaluator=evaluator)
