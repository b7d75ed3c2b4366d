"""Figures of an evaluation, against numbers worked out by hand."""

from math import sqrt

import numpy as np
import pytest

from model.errors import ModelError
from model.results.evaluation import evaluate
from tests.model.values import ages


def test_every_figure_is_the_one_worked_out_by_hand() -> None:
    # Errors +1, -3, +2, 0: sizes 1, 3, 2, 0 with mean 1.5 and squared deviations 0.25 + 2.25 + 0.25 + 2.25 = 5.
    result = evaluate(ages(11, 17, 32, 40), ages(10, 20, 30, 40))
    assert result.images == 4
    assert result.mae == 1.5
    assert result.standard_error == pytest.approx(sqrt(5 / 3) / 2)
    assert result.median_error == 1.5
    assert result.rmse == pytest.approx(sqrt(14 / 4))
    assert result.bias == 0
    assert result.constant_mae == 10  # always 25: 15, 5, 5, 15


def test_the_bias_is_positive_where_people_are_taken_for_older() -> None:
    assert evaluate(ages(12, 24), ages(10, 20)).bias == 3


def test_many_ages_are_summed_without_losing_digits() -> None:
    stream = np.random.default_rng(1)
    labels, predictions = (stream.uniform(1, 80, 100_000).astype(np.float32) for _ in range(2))
    errors = np.abs(predictions.astype(np.float64) - labels)
    result = evaluate(predictions, labels)
    assert result.mae == errors.mean()
    assert result.standard_error == pytest.approx(errors.std(ddof=1) / sqrt(100_000), rel=1e-12)
    exact = np.abs(labels.astype(np.float64) - np.median(labels)).mean()
    assert result.constant_mae == pytest.approx(exact, rel=1e-12)


def test_figures_come_as_plain_numbers_by_name() -> None:
    figures = evaluate(ages(12, 24), ages(10, 20)).as_dict()
    assert list(figures) == ["images", "mae", "standard_error", "median_error", "rmse", "bias", "constant_mae"]
    assert {type(value) for value in figures.values()} == {int, float}


def test_a_single_image_has_an_error_and_no_standard_error() -> None:
    only = evaluate(ages(12), ages(10))
    assert (only.mae, only.rmse, only.standard_error) == (2, 2, None)


@pytest.mark.parametrize(
    ("predictions", "labels"),
    [
        (ages(1, 2, 3), ages(1, 2)),
        (ages(), ages()),
        (ages(1, 2).reshape(2, 1), ages(1, 2)),
        (ages(1, 2).reshape(2, 1), ages(1, 2).reshape(2, 1)),
    ],
)
def test_predictions_that_do_not_fit_the_labels_are_refused(predictions: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"predictions are .* for labels of .*; both must be \(n,\), n ≥ 1"):
        evaluate(predictions, labels)
