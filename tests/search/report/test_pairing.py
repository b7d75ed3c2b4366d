import math

import pytest

from search.report.pairing import NOT_COMPARED, differences
from search.report.runs import Run


def runs(*errors):
    """A variant's runs whose lowest validation errors are these, by repeat; None is a run without a value."""
    return [Run(repeat, 1.0, (), (30.0, error, 20.0), {}) for repeat, error in enumerate(errors) if error is not None]


def test_a_variant_is_compared_with_the_first_seed_by_seed():
    found = differences({"a": runs(10, 12, 14), "b": runs(9.0, 11.2, 12.8)})
    assert list(found) == ["b"]
    assert found["b"].mean == pytest.approx(-1)
    assert found["b"].standard_error == pytest.approx(0.2 / math.sqrt(3))  # not of the seeds, which are years apart


def test_seeds_that_only_one_of_them_has_do_not_count():
    found = differences({"a": runs(10, None, 12, 14), "b": runs(9, 1, None, 12), "c": runs(None, 1, 10, None)})
    assert (found["b"].mean, found["b"].standard_error) == (-1.5, pytest.approx(0.5))
    assert found["c"] == NOT_COMPARED


def test_a_single_variant_is_compared_with_none():
    assert differences({"a": runs(10, 12)}) == {}
