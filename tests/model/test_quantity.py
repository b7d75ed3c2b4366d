"""What is predicted, in words: ages in years, and anything else in its own unit or in none."""

import pytest

from model.quantity import Quantity


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
