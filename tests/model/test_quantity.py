"""What is predicted, in words: ages in years, and anything else in its own unit or in none."""

import pytest

from model.quantity import Quantity, decimal


@pytest.mark.parametrize(
    ("unit", "noun", "label", "amount", "shown"),
    [
        ("years", "age", "MAE (years)", "6.45 years", "31.2"),
        ("digits", "value", "MAE (digits)", "6.45 digits", "31.16"),
        ("", "value", "MAE", "6.45", "31.16"),
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
        (0.033, ".3f", "0.033"),
        (0.0, ".3f", "0.000"),
        (0.00002345, ".3f", "2.35e-05"),
        (-0.00123, "+.2f", "-0.00123"),
        (0.0004, "+.3f", "+0.0004"),
        (-3.0, "+.2f", "-3.00"),
    ],
)
def test_a_number_too_small_for_its_decimals_keeps_three_digits(number: float, form: str, shown: str) -> None:
    assert decimal(number, form) == shown


def test_an_error_has_its_standard_error_beside_it_where_there_is_one() -> None:
    assert Quantity("years").error(5.3, 0.163) == "5.300 ± 0.163 years"
    assert Quantity("m").error(0.002) == "0.002 m"
