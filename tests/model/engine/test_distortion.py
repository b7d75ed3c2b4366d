"""Augmentation in the graph: each variation alone does what it says, by the seed alone."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from model.engine.distortion import distorted
from model.engine.setup import Augmentation

STILL = Augmentation(0, 0, 0, 0, 0, 0, 0)
COUNT, SIDE = 200, 15


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).random((COUNT, SIDE, SIDE, 1), np.float32)


def varied(images: np.ndarray, how: Augmentation, seed: tuple[int, int] = (1, 2)) -> np.ndarray:
    answer: np.ndarray = distorted(tf.constant(images), tf.constant(seed), how).numpy()
    assert answer.shape == images.shape
    return answer


def test_with_every_range_at_nothing_images_stay_as_they_are(images: np.ndarray) -> None:
    assert varied(images, STILL) == pytest.approx(images, abs=1e-6)


def test_the_same_seed_varies_alike_and_another_one_otherwise(images: np.ndarray) -> None:
    first = varied(images, Augmentation())
    assert np.array_equal(first, varied(images, Augmentation()))
    assert not np.array_equal(first, varied(images, Augmentation(), (1, 3)))
    assert first.min() >= 0
    assert first.max() <= 1


def test_each_image_varies_in_its_own_way() -> None:
    alike = np.tile(np.random.default_rng(1).random((1, SIDE, SIDE, 1), np.float32), (8, 1, 1, 1))
    assert len(np.unique(varied(alike, Augmentation()), axis=0)) == 8


def test_a_share_of_the_images_is_mirrored_left_to_right_and_the_others_are_not(images: np.ndarray) -> None:
    answer = varied(images, replace(STILL, flip=0.3))
    mirrored = [np.allclose(one, image[:, ::-1], atol=1e-5) for one, image in zip(answer, images, strict=True)]
    untouched = [np.allclose(one, image, atol=1e-5) for one, image in zip(answer, images, strict=True)]
    assert sum(mirrored) + sum(untouched) == COUNT
    assert sum(mirrored) / COUNT == pytest.approx(0.3, abs=0.1)


def test_shifting_moves_all_of_an_image_and_repeats_its_edge() -> None:
    slope = np.tile(np.arange(SIDE, dtype=np.float32)[:, np.newaxis] / 20, (COUNT, 1, SIDE))[..., np.newaxis]
    moves = (varied(slope, replace(STILL, shift=3 / SIDE)) - slope) * 20
    inner = moves[:, 4:-4, :, 0]
    assert np.ptp(inner, axis=(1, 2)).max() < 1e-3
    assert 2.5 < inner.max() <= 3.001
    assert -3.001 <= inner.min() < -2.5
    assert varied(np.ones_like(slope), replace(STILL, shift=3 / SIDE)).min() > 0.999


@pytest.mark.parametrize("how", [replace(STILL, rotation=30.0), replace(STILL, scale=0.3)])
def test_turning_and_scaling_keep_the_centre_and_move_the_rest(images: np.ndarray, how: Augmentation) -> None:
    answer, middle = varied(images, how), SIDE // 2
    assert answer[:, middle, middle] == pytest.approx(images[:, middle, middle], abs=1e-4)
    assert np.abs(answer - images)[:, 0].mean() > 0.1


def test_brightness_shifts_and_contrast_spreads_about_the_mean() -> None:
    middling = np.random.default_rng(2).uniform(0.4, 0.6, (COUNT, SIDE, SIDE, 1)).astype(np.float32)
    means, spreads = middling.mean(axis=(1, 2, 3)), middling.std(axis=(1, 2, 3))
    brighter = varied(middling, replace(STILL, brightness=0.2))
    assert np.abs(brighter.mean(axis=(1, 2, 3)) - means).max() == pytest.approx(0.2, abs=0.02)
    assert brighter.std(axis=(1, 2, 3)) == pytest.approx(spreads, rel=1e-3)
    sharper = varied(middling, replace(STILL, contrast=0.5))
    assert sharper.mean(axis=(1, 2, 3)) == pytest.approx(means, rel=1e-3)
    assert (sharper.std(axis=(1, 2, 3)) / spreads).max() == pytest.approx(1.5, abs=0.05)


def test_one_box_within_the_sizes_is_erased_in_a_share_of_the_images(images: np.ndarray) -> None:
    how = replace(STILL, erasing=0.4, erased=(3 / SIDE, 5 / SIDE))
    changed = (np.abs(varied(images, how) - images) > 1e-5)[..., 0]
    touched = changed.any(axis=(1, 2))
    assert touched.mean() == pytest.approx(0.4, abs=0.1)
    for one in changed[touched]:
        rows, columns = np.flatnonzero(one.any(axis=1)), np.flatnonzero(one.any(axis=0))
        assert len(rows) <= 5
        assert len(columns) <= 5
        assert one[np.ix_(rows, columns)].mean() > 0.9  # but for a pixel that was the mean already


@pytest.mark.parametrize(("height", "width"), [(91, 91), (8, 24)])
def test_small_images_lose_as_large_a_share_as_the_papers(height: int, width: int) -> None:
    noise = np.random.default_rng(3).random((COUNT, height, width, 1), np.float32)
    changed = (np.abs(varied(noise, replace(STILL, erasing=1.0)) - noise) > 1e-5)[..., 0]
    assert changed.any(axis=2).sum(axis=1).max() <= 30 * height / 91 + 1
    assert changed.any(axis=1).sum(axis=1).max() <= 30 * width / 91 + 1
    assert changed.mean() == pytest.approx(0.039, rel=0.25)


def test_sides_of_different_lengths_are_shifted_by_shares_of_their_own() -> None:
    across, down = np.meshgrid(np.arange(40, dtype=np.float32), np.arange(10, dtype=np.float32))
    for slope, most in ((across, 4.0), (down, 1.0)):
        images = np.tile(slope[np.newaxis, ..., np.newaxis] / 50, (COUNT, 1, 1, 1))
        moves = (varied(images, replace(STILL, shift=0.1)) - images)[:, 4:-4, 5:-5] * 50
        assert 0.9 * most < np.abs(moves).max() <= most + 1e-3
