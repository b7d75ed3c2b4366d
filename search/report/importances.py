"""How much each parameter of a stage matters, as Optuna reckons."""

from collections.abc import Sequence

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from search.results.ranking import RankedTrial
from search.space.box import Box
from search.space.distributions import distribution_of
from search.space.score import MINIMIZED, Score

LEAST_TRIALS = 10
"""Below which nothing is said of importance."""

TOP_SHARE, TOP_TRIALS = 0.1, 5
"""The trials that importance is asked about: the best tenth, but at least five, as Optuna advises for PED-ANOVA."""


def importances(trials: Sequence[RankedTrial], box: Box, score: Score = MINIMIZED) -> dict[str, float]:
    """Return each varied parameter's share of what sets the best trials apart; {} where there is nothing to tell.

    PED-ANOVA over one stage's trials, which all come from one box, so that it measures the box and not its narrowing.
    """
    ranges = {each.name: distribution_of(each) for each in box.ranges}
    ranges = {name: each for name, each in ranges.items() if not each.single()}
    if len(trials) < LEAST_TRIALS or not ranges or len({each.score for each in trials}) == 1:
        return {}
    study = optuna.create_study()
    for each in trials:
        params = {name: each.params[name] for name in ranges}
        study.add_trial(create_trial(params=params, distributions=ranges, value=score.loss(each.score)))
    evaluator = PedAnovaImportanceEvaluator(target_quantile=max(TOP_SHARE, TOP_TRIALS / len(trials)))
    return get_param_importances(study, evaluator=evaluator)
