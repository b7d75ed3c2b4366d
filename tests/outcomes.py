"""What trials on images come to, for tests: a score and the errors beside it."""

from search.study.trial import Outcome


def outcome_of(score, validation_mae, training_mae, penalty, training_curve=()):
    """Return an outcome with the measures of a training on images."""
    measures = {"validation_mae": validation_mae, "training_mae": training_mae, "penalty": penalty}
    return Outcome(score, measures | ({"training_curve": training_curve} if training_curve else {}))
