import pytest
from hypothesis import given
from hypothesis.strategies import floats, none, one_of, sampled_from

from model.results import quantity
from search.counting import amounts, counted, decimal


def test_a_single_one_has_no_plural():
    assert [counted(count, "trial") for count in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]


def test_a_budget_in_words_has_its_numbers_and_names_in_their_order():
    assert amounts({"images": 500, "epochs": 1}) == "500 images, 1 epoch"
    assert amounts({"subsample": 0.5}) == "0.5 subsample"
    assert amounts({}) == ""


@pytest.mark.parametrize(
    ("number", "like", "shown"),
    [
        (13.9464, None, "13.946"), (0.0046123, None, "0.00461"), (2e-6, None, "2e-06"), (0.5, 0.0046, "0.50000"),
        (12345.678, None, "12345.68"), (2458874.197, None, "2458874"), (1.5, 2458874.197, "2"),
    ],
)  # fmt: skip
def test_a_number_has_as_many_decimals_as_three_digits_take(number, like, shown):
    assert decimal(number, like=like) == shown


@given(floats(), sampled_from([".2f", ".3f", "+.3f"]), one_of(none(), floats()))
def test_a_search_shows_a_number_as_its_networks_do(number, form, like):
    assert decimal(number, form, like) == quantity.decimal(number, form, like)
