"""What trials on images come to, for tests: a score and the errors next to it."""

from search.study.trial import Outcome
from search.study.trials import Result


def outcome_of(score, validation_mae, training_mae, penalty, training_curve=()):
    """Return an outcome with the measures of a training on images."""
    measures = {"validation_mae": validation_mae, "training_mae": training_mae, "penalty": penalty}
    return Outcome(score, measures | ({"training_curve": training_curve} if training_curve else {}))


def result_of(*measured):
    """Return the result of a trial with such an outcome, after 8 seconds."""
    return Result(outcome_of(*measured), 8.0)


RESULT = result_of(12.75, 12.5, 11.0, 0.25)
