"""Pictures of errors: that what goes in can be seen."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from model.figures.error_figures import axis_ends, calibration, error_by_group, predicted_against_true
from model.results.error_groups import by_label, by_prediction
from model.results.quantity import Quantity

AGES = Quantity("years")
LABELS = np.array([5, 8, 25, 25, 29, 61, 80], np.float32)
CLOSE, FAR = LABELS + 1, LABELS[::-1].copy()


def errors(predictions: np.ndarray) -> bytes:
    mae = float(np.abs(predictions - LABELS).mean())
    return error_by_group(by_label(predictions, LABELS), mae, AGES)


def calibrated(predictions: np.ndarray) -> bytes:
    return calibration(by_label(predictions, LABELS), by_prediction(predictions, LABELS), AGES)


def scattered(predictions: np.ndarray) -> bytes:
    return predicted_against_true(predictions, LABELS, AGES)


@pytest.mark.parametrize("draw", [scattered, errors, calibrated])
def test_a_picture_shows_its_data(draw: Callable[[np.ndarray], bytes]) -> None:
    picture = draw(CLOSE)
    assert picture != draw(FAR)
    with Image.open(io.BytesIO(picture)) as image:
        assert len(set(image.convert("L").get_flattened_data())) > 10


@pytest.mark.parametrize("draw", [scattered, errors, calibrated])
def test_predictions_all_alike_can_be_drawn(draw: Callable[[np.ndarray], bytes]) -> None:
    assert draw(np.full_like(LABELS, 30)).startswith(b"\x89PNG")


def test_calibration_says_of_what_its_standard_errors_are(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []
    monkeypatch.setattr("model.figures.error_figures.plain", lambda _axes, _x, y: named.append(y))
    calibrated(CLOSE)
    of_bias, of_truth = named
    assert of_bias == "predicted minus true (years)\n± standard error"
    assert of_truth == "mean true age (years)\n± standard error of the bias"


def test_a_perfect_model_lies_on_the_line() -> None:
    with Image.open(io.BytesIO(predicted_against_true(LABELS, LABELS, AGES))) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    rows, columns = np.nonzero((pixels[..., 2] - pixels[..., 0]) > 60)
    # The axes are equally long, so that dots on the diagonal rise as fast as they go to the right.
    slope = np.polyfit(columns, -rows, 1)[0]
    assert slope == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("values", "begins", "ends"),
    [
        ([1, 80], 0, 82.37),
        ([100, 150], 98.5, 151.5),
        ([1950, 2020], 1947.9, 2022.1),
        ([-80, -1], -82.37, 0),
        ([-40, 60], -43, 63),
        ([30, 30], 29.1, 30.9),
        ([0, 0], 0, 0.03),
    ],
)
def test_an_axis_has_the_zero_where_that_leaves_half_of_it_to_the_values(
    values: list[float], begins: float, ends: float
) -> None:
    assert axis_ends(values) == pytest.approx((begins, ends))
