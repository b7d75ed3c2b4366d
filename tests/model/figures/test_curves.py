"""Learning curves: means and bands worked out by hand, and what can be seen in the picture."""

import io

import numpy as np
import pytest
from PIL import Image

from model.errors import ModelError
from model.figures.curves import Level, Mark, Panel, draw_curves, mean_and_band
from model.results.quantity import Quantity

AGES = Quantity("years")
RUNS = {"training": [[9.0, 5.0, 3.0], [11.0, 7.0, 5.0]], "validation": [[10.0, 8.0, 7.5]]}


def pixels(picture: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def seen(picture: bytes, colour: str) -> int:
    """Return how many pixels have a colour."""
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return int((np.abs(pixels(picture) - wanted).max(axis=-1) < 8).sum())


def test_the_mean_and_the_band_are_those_of_the_seeds_epoch_by_epoch() -> None:
    assert mean_and_band([[1, 4], [3, 8]]) == ([2.0, 6.0], [1, 4], [3, 8])


def test_a_run_that_ended_earlier_counts_as_far_as_it_came() -> None:
    assert mean_and_band([[1.0], [3.0, 5.0]]) == ([2.0, 5.0], [1.0, 5.0], [3.0, 5.0])


def test_every_curve_has_a_colour_of_its_own() -> None:
    picture = draw_curves([Panel("", RUNS)], AGES)
    assert seen(picture, "#0072B2") > 200
    assert seen(picture, "#D55E00") > 200
    assert seen(picture, "#009E73") == 0


def test_panels_stand_side_by_side_in_one_picture() -> None:
    one, two = (pixels(draw_curves([Panel("a", RUNS)] * count, AGES, width=6)) for count in (1, 2))
    assert one.shape == two.shape
    assert not np.array_equal(one, two)


@pytest.mark.parametrize(
    "panel",
    [
        Panel("", RUNS, levels=(Level("the paper", 6.4),)),
        Panel("", RUNS, marks=(Mark("kept", 2, 8.0),)),
        Panel("", RUNS, log=True),
        Panel("a title", RUNS),
        Panel("", {"training": RUNS["training"][:1], "validation": RUNS["validation"]}),
    ],
)
def test_levels_marks_titles_bands_and_logarithms_are_drawn(panel: Panel) -> None:
    assert draw_curves([panel], AGES) != draw_curves([Panel("", RUNS)], AGES)


def test_a_fit_of_one_epoch_can_be_drawn() -> None:
    assert seen(draw_curves([Panel("", {"training": [[9.0]]})], AGES), "#0072B2") > 20


@pytest.mark.parametrize(
    ("curves", "said"),
    [
        ({}, "curves are 0; a panel shows 1 to 7"),
        ({str(number): [[1.0]] for number in range(8)}, "curves are 8; a panel shows 1 to 7"),
        ({"none": []}, "the curve 'none' has no run"),
        ({"dropout": [[1.0], []]}, "the curve 'dropout' has no run, or one without an epoch"),
    ],
)
def test_what_cannot_be_drawn_is_refused(curves: dict[str, list[list[float]]], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Panel("", curves)
