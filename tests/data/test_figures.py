import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from data.errors import DatasetError
from data.figures import bounds, draw_dataset_histograms, gallery, histograms


def test_the_histograms_of_a_dataset_are_a_png(stored, tmp_path):
    draw_dataset_histograms(stored, tmp_path / "figures/labels.png", "age (years)")
    with Image.open(tmp_path / "figures/labels.png") as image:
        assert image.format == "PNG"
        assert image.width > image.height > 100
        assert len(set(image.convert("L").get_flattened_data())) > 10


def test_an_unwritable_figure_is_named(stored, tmp_path):
    with pytest.raises(DatasetError, match="cannot write"):
        draw_dataset_histograms(stored, tmp_path, "age")


def test_the_same_labels_give_the_same_picture():
    labels = {"test": np.array([1, 1, 80], np.float32)}
    assert histograms(labels, "age") == histograms(labels, "age")
    assert histograms(labels, "age") != histograms({"test": np.array([1, 2, 80], np.float32)}, "age")
    assert histograms(labels, "age") != histograms(labels, "value (mm)")


@pytest.mark.parametrize(
    ("labels", "first", "last", "count"),
    [
        ([3, 80], -0.5, 80.5, 82), ([-2, 1], -2.5, 1.5, 5), ([0, 0], -0.5, 0.5, 2), ([1000, 1075], 999.5, 1075.5, 77),
        ([0.25, 8.5], 0.25, 8.5, 51), ([-3.5, -0.5], -3.5, -0.5, 51), ([0.001, 0.02], 0.001, 0.02, 51),
        ([7, 10**9], 7, 10**9, 51), ([5.5, 5.5], 5.0, 6.0, 2), ([1500, 1500], 1499.5, 1500.5, 2),
    ],
)  # fmt: skip
def test_whole_labels_have_a_bar_each_and_others_fifty_over_their_range(labels, first, last, count):
    found = bounds(np.array(labels, np.float32))
    assert (found[0], found[-1], len(found)) == (pytest.approx(first), pytest.approx(last), count)


def test_a_unit_of_dollars_is_drawn_as_it_is():
    labels = {"test": np.array([1, 2, 80], np.float32)}
    assert histograms(labels, r"price ($\frac$)") != histograms(labels, "price")


def test_a_letter_that_the_font_lacks_is_drawn_as_a_box_without_a_warning():
    labels = {"training": np.array([1, 2], np.float32)}
    assert histograms(labels, "value (円)").startswith(b"\x89PNG")


def test_the_dataset_is_not_replaced_by_its_own_figure(stored):
    before = stored.read_bytes()
    with pytest.raises(DatasetError, match="is no figure that agesearch wrote; choose another --figure"):
        draw_dataset_histograms(stored, stored, "age")
    assert stored.read_bytes() == before


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_shown_in_a_row_as_they_are(channels):
    images = np.zeros((2, 9, 9, channels), np.uint8)
    images[1] = 130
    with Image.open(io.BytesIO(gallery(images, ["first", "second"]))) as picture:
        middle = np.asarray(picture.convert("L"))[picture.height // 2]
    # The middle row crosses both images: the dark one on the left, the other on the right.
    left, right = np.split(middle, [len(middle) // 2])
    assert {0, 130} <= set(middle.tolist())
    assert 0 in left
    assert 130 not in left
    assert 130 in right
    assert 0 not in right


def test_importing_the_module_does_not_import_matplotlib():
    code = "import sys, data.figures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
