import math

import numpy as np
import pytest

from search.results.blocks import noise, paired_difference

SCORES = np.array([[8.0, 12.0, 16.0], [9.0, 13.3, 16.7], [7.5, 11.0, 15.0]])


def test_a_seed_that_is_hard_for_all_adds_no_noise():
    assert noise(SCORES + np.array([0.0, 50.0, 100.0])) == pytest.approx(noise(SCORES))
    assert noise(np.array([[8.0, 12.0, 16.0], [9.0, 13.0, 17.0]])) == (0, 0)


def test_the_limit_is_students_of_the_pooled_noise():
    error, limit = noise(SCORES)
    assert limit == pytest.approx(2.7764 * error, rel=1e-4)  # with 4 degrees of freedom, from a printed table


def test_of_two_configurations_the_noise_is_the_standard_error_of_their_differences():
    first, second = SCORES[:2]
    mean, error = paired_difference(first.tolist(), second.tolist())
    assert mean == pytest.approx(-1)
    assert error == pytest.approx((first - second).std(ddof=1) / math.sqrt(3))
