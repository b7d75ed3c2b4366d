"""Images with their labels: only those that fit together."""

import numpy as np
import pytest

from model.arrays import Examples
from model.errors import ModelError

IMAGES = np.zeros((3, 5, 4, 1), np.uint8)
LABELS = np.zeros(3, np.float32)


def test_they_know_their_number_and_the_shape_of_an_image() -> None:
    examples = Examples(IMAGES, LABELS)
    assert len(examples) == 3
    assert examples.image_shape == (5, 4, 1)


@pytest.mark.parametrize("images", [IMAGES.astype(np.float32), IMAGES[..., 0]])
def test_images_of_another_type_or_without_channels_are_refused(images: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"images are .*; they must be uint8 \(N, H, W, C\)"):
        Examples(images, LABELS)


@pytest.mark.parametrize("labels", [LABELS[:2], LABELS[:, np.newaxis], LABELS.astype(np.int64), LABELS.astype(float)])
def test_labels_of_another_number_shape_or_type_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"labels are .* for images of .*; they must be float32 \(N,\), N ≥ 1"):
        Examples(IMAGES, labels)


def test_no_images_at_all_are_refused() -> None:
    with pytest.raises(ModelError, match="N ≥ 1"):
        Examples(IMAGES[:0], LABELS[:0])
