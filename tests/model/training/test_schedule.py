"""The learning rate from step to step."""

import numpy as np
import pytest

from model.training.schedule import factors


def test_a_constant_schedule_is_one_throughout() -> None:
    assert factors("constant", 7, 5, 100).tolist() == [1] * 5


def test_the_cosine_climbs_over_the_first_twentieth_and_falls_to_nothing() -> None:
    found = factors("cosine", 0, 200, 200)
    assert found[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert (np.diff(found[9:]) < 0).all()
    assert found[104] == pytest.approx(0.5, abs=1e-6)
    assert found[-1] == pytest.approx(0, abs=1e-6)


def test_pieces_of_a_schedule_are_the_whole_one() -> None:
    pieces = [factors("cosine", first, 32, 160) for first in range(0, 160, 32)]
    assert np.array_equal(np.concatenate(pieces), factors("cosine", 0, 160, 160))


@pytest.mark.parametrize("total", [1, 2, 5])
def test_the_shortest_schedules_are_finite_and_begin_above_nothing(total: int) -> None:
    found = factors("cosine", 0, total, total)
    assert np.isfinite(found).all()
    assert found[0] > 0
