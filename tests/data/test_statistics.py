import io
import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from data.errors import DatasetError
from data.statistics import (
    DatasetStatistics,
    bounds,
    dataset_statistics,
    draw_dataset_histograms,
    format_statistics,
    gallery,
    histograms,
    label_statistics,
)


def test_labels_are_described_with_the_sample_standard_deviation():
    one = label_statistics(np.array([1, 2, 3, 4, 10], np.float32))
    assert (one.count, one.mean, one.minimum, one.maximum) == (5, 4, 1, 10)
    assert (one.quartile_1, one.median, one.quartile_3) == (2, 3, 4)
    assert one.sd == pytest.approx(np.sqrt(50 / 4))
    assert one.median_mae == 2.2


def test_a_single_label_has_no_spread_and_none_are_refused():
    assert label_statistics(np.array([7], np.float32)).sd == 0
    with pytest.raises(DatasetError, match="labels are empty"):
        label_statistics(np.array([], np.float32))


def test_the_table_has_a_row_for_each_split(stored, dataset):
    statistics = dataset_statistics(stored)
    lines = format_statistics(statistics).splitlines()
    assert [line.split()[0] for line in lines] == ["samples", "training", "validation", "test"]
    assert lines[1].split()[1:3] == ["5", f"{dataset.training.labels.mean():.2f}"]
    assert len({len(line) for line in lines}) == 1
    assert json.loads(json.dumps(statistics, default=asdict))["splits"]["test"]["count"] == 2


@pytest.mark.parametrize("label", [0.00123456, 1_234_567.5])
def test_the_columns_stay_apart_and_the_digits_visible_whatever_the_labels_size(label):
    one = label_statistics(np.array([label, label], np.float32))
    table = format_statistics(DatasetStatistics("", (1, 1, 1), "m", {"training": one}))
    assert [len(line.split()) for line in table.splitlines()] == [9, 7]  # "25 %" is two words
    assert float(table.splitlines()[1].split()[2]) == pytest.approx(label, rel=1e-4)


def test_the_mean_of_large_labels_has_the_decimals_of_their_spread():
    one = label_statistics(np.array([100000, 100270, 100135.25], np.float32))
    table = format_statistics(DatasetStatistics("", (1, 1, 1), "hPa", {"training": one}))
    assert table.splitlines()[1].split() == ["training", "3", "100135", "135", "100067.6", "100135.2", "100202.6"]


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
    code = "import sys, data.statistics; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
