import pytest

from search.results.student import quantile


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (8, 2.306), (30, 2.042), (120, 1.980)]
)
def test_the_quantiles_are_those_of_the_printed_tables(freedom, value):
    assert quantile(0.975, freedom) == pytest.approx(value, abs=0.0005)


def test_another_share_has_another_quantile():
    assert quantile(0.95, 10) == pytest.approx(1.812, abs=0.0005)
    assert quantile(0.9995, 4) == pytest.approx(8.610, abs=0.0005)
