"""Augmentations as values: the ones that make no sense are refused."""

import math

import pytest

from model.engine.setup import Augmentation
from model.errors import ModelError


@pytest.mark.parametrize(
    ("name", "value"),
    [("flip", 1.1), ("rotation", -1.0), ("scale", 1.0), ("shift", 6.0), ("contrast", math.nan), ("erasing", math.inf)],
)
def test_a_range_that_makes_no_sense_is_refused_by_its_name(name: str, value: float) -> None:
    with pytest.raises(ModelError, match=f"{name} is {value}; it must be a number from 0 to "):
        Augmentation(**{name: value})


@pytest.mark.parametrize("erased", [(0, 0.5), (0.9, 0.8), (8, 30)])
def test_a_box_that_makes_no_sense_is_refused(erased: tuple[float, float]) -> None:
    with pytest.raises(ModelError, match="the smaller first"):
        Augmentation(erased=erased)


def test_of_the_papers_images_boxes_are_8_to_30_pixels_and_shifts_6_at_most() -> None:
    how = Augmentation()
    assert (how.shift * 91, how.erased[0] * 91, how.erased[1] * 91) == (6.0, 8.0, 30.0)


def test_a_strength_scales_every_deviation_but_the_share_of_mirror_images() -> None:
    half = Augmentation().scaled(0.5)
    assert half == Augmentation(0.5, 5.0, 0.06, 3 / 91, 0.125, 0.075, 0.25)
    assert Augmentation().scaled(1.0) == Augmentation()
    assert Augmentation().scaled(0.0) is None


@pytest.mark.parametrize("strength", [-1.0, 5.0])
def test_a_strength_that_makes_no_sense_is_refused(strength: float) -> None:
    with pytest.raises(ModelError):
        Augmentation().scaled(strength)
