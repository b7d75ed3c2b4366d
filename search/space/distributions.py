"""What Optuna calls the range of a parameter."""

from functools import cache

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    json_to_distribution,
)

from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange, Range, Value


def distribution_of(searched: Range) -> BaseDistribution:
    """Return the same range as Optuna keeps it next to a trial's parameter."""
    match searched:
        case LogRange():
            return FloatDistribution(searched.low, searched.high, log=True)
        case LinearRange():
            return FloatDistribution(searched.low, searched.high, step=searched.step)
        case IntegerRange():
            return IntDistribution(searched.low, searched.high, log=searched.log, step=searched.step)
        case Choices():
            return CategoricalDistribution(searched.values)


def value_of(stored: float, distribution: str) -> Value:
    """Return a parameter's value from what Optuna's tables hold: for a choice that is its place in the list."""
    value: Value = distribution_from(distribution).to_external_repr(stored)
    return value


@cache  # all trials of a stage have the same text
def distribution_from(text: str) -> BaseDistribution:
    """Return the range that Optuna's tables hold next to a parameter's value."""
    return json_to_distribution(text)
