"""A fit's history: a table that reads back, and a picture."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from model.figures.plotting import PALETTE
from model.results.quantity import Quantity
from model.training.history import Epoch, from_csv, kept, learning_curve, to_csv

HISTORY = (
    Epoch(1, 14.000000000000002, 13.25, 61.23456, True),
    Epoch(2, 9.5, 11.1, 60.0, True),
    Epoch(3, 7.25, 12.0, 59.9994, False),
)


def test_the_table_reads_back_as_the_same_history_but_for_parts_of_a_millisecond() -> None:
    seconds = (61.235, 60.0, 59.999)
    assert from_csv(to_csv(HISTORY)) == tuple(map(lambda row, own: replace(row, seconds=own), HISTORY, seconds))


def test_the_epoch_kept_is_the_first_with_the_lowest_validation_error() -> None:
    assert kept(HISTORY) is HISTORY[1]
    assert kept([HISTORY[0], replace(HISTORY[0], epoch=2, best=False)]) is HISTORY[0]


def test_the_table_has_one_plain_line_an_epoch_below_its_headings() -> None:
    lines = to_csv(HISTORY).split(b"\n")
    assert lines[0] == b"epoch,training_mae,validation_mae,seconds,best"
    assert lines[2] == b"2,9.5,11.1,60.000,1"
    assert len(lines) == 5
    assert lines[4] == b""


@pytest.mark.parametrize("epochs", [1, 3, 200])
def test_the_learning_curve_is_a_png_with_both_curves_and_the_kept_epoch_in_it(epochs: int) -> None:
    history = [Epoch(number, 20 / number, 8 + 12 / number, 1.0, True) for number in range(1, epochs + 1)]
    picture = learning_curve(history, Quantity("years"))
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    for colour in (*PALETTE[:2], "#000000"):
        rgb = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        assert (np.abs(pixels - rgb).max(axis=-1) < 8).sum() > 50
