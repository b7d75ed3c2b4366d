import json
from dataclasses import asdict

import numpy as np
import pytest

from data.errors import DatasetError
from data.statistics import DatasetStatistics, dataset_statistics, format_statistics, label_statistics


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
