"""What is predicted, in words: ages in years, and anything else in its own unit or in none."""

import math

import pytest

from model.results.quantity import Quantity, decimal


@pytest.mark.parametrize(
    ("unit", "noun", "label", "amount", "shown"),
    [
        ("years", "age", "MAE (years)", "6.45 years", "31.2"),
        ("digits", "value", "MAE (digits)", "6.45 digits", "31.161"),
        ("", "value", "MAE", "6.45", "31.161"),
    ],
)
def test_labels_and_amounts_have_the_unit_and_only_years_are_ages(
    unit: str, noun: str, label: str, amount: str, shown: str
) -> None:
    quantity = Quantity(unit)
    assert (quantity.noun, quantity.is_age) == (noun, unit == "years")
    assert (quantity.label("MAE"), quantity.amount("6.45")) == (label, amount)
    assert quantity.mae.startswith("mean absolute error")
    assert quantity.shown(31.161) == shown


@pytest.mark.parametrize(
    ("number", "form", "shown"),
    [
        (5.3024, ".3f", "5.302"),
        (123.4, ".3f", "123.400"),
        (0.701, ".3f", "0.701"),
        (0.0333, ".3f", "0.0333"),
        (0.24, ".2f", "0.240"),
        (0.0, ".3f", "0.000"),
        (0.00002345, ".3f", "2.35e-05"),
        (-0.00123, "+.2f", "-0.00123"),
        (0.0004, "+.3f", "+0.000400"),
        (-3.0, "+.2f", "-3.00"),
        (math.nan, ".2f", "nan"),
        (math.inf, ".2f", "inf"),
    ],
)
def test_a_number_too_small_for_its_decimals_keeps_three_digits(number: float, form: str, shown: str) -> None:
    assert decimal(number, form) == shown


@pytest.mark.parametrize(
    ("number", "like", "shown"),
    [(0.00963, 0.0743, "0.0096"), (0.00963, 5.3, "0.010"), (-0.00963, 0.0, "-0.010"), (0.00002, 0.00004, "2e-05")],
)
def test_a_number_beside_another_has_the_decimals_of_that(number: float, like: float, shown: str) -> None:
    assert decimal(number, like=like) == shown


def test_a_prediction_keeps_its_digits_however_large_it_is_beside_its_error() -> None:
    assert [Quantity("hPa").shown(value) for value in (100136.2, 0.01062155)] == ["100136.2", "0.01062155"]


def test_an_error_has_its_standard_error_beside_it_where_there_is_one() -> None:
    assert Quantity("years").error(5.3, 0.163) == "5.300 ± 0.163 years"
    assert Quantity("m").error(0.002) == "0.00200 m"
    assert Quantity("").error(0.0743, 0.00963) == "0.0743 ± 0.0096"
