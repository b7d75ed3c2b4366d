"""The look of figures: a PNG that depends on nothing but what was drawn."""

import io
import logging
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from model.figures import plotting
from model.figures.plotting import DOTS_AN_INCH, PALETTE, new_figure, plain, png


def drawn() -> bytes:
    figure = new_figure(3, 2)
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4], color=PALETTE[0])
    plain(axes, "epoch", "error (years)")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "error (years)")
    assert not axes.spines["top"].get_visible()
    return png(figure)


def test_a_figure_is_a_png_of_the_size_that_was_asked_for() -> None:
    with Image.open(io.BytesIO(drawn())) as image:
        assert image.format == "PNG"
        assert image.size == (3 * DOTS_AN_INCH, 2 * DOTS_AN_INCH)


def test_the_same_drawing_gives_the_same_bytes() -> None:
    assert drawn() == drawn()


def test_drawing_changes_no_setting_of_matplotlib() -> None:
    before = dict(mpl.rcParams)
    drawn()
    assert dict(mpl.rcParams) == before


def test_the_palette_can_be_told_apart_in_gray_by_the_two_colours_used_first() -> None:
    grays = [np.dot([int(c[i : i + 2], 16) for i in (1, 3, 5)], [0.299, 0.587, 0.114]) for c in PALETTE[:2]]
    assert len(set(PALETTE)) == len(PALETTE)
    assert abs(grays[0] - grays[1]) > 25


def test_a_letter_that_the_font_lacks_is_drawn_as_a_box_without_a_warning() -> None:
    figure = new_figure(3, 2)
    plain(figure.subplots(), "epoch", "error (円)")
    assert png(figure).startswith(b"\x89PNG")


@pytest.fixture(autouse=True)
def _forget() -> None:
    plotting._font_with.cache_clear()


def test_a_unit_is_drawn_in_a_font_that_has_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"han.ttf": frozenset("年"), "box.ttf": frozenset("年")}
    found = [
        SimpleNamespace(name=name, fname=path, weight=400, style="normal")
        for name, path in (("Last Resort", "box.ttf"), ("Song", "han.ttf"))
    ]
    monkeypatch.setattr(plotting, "_installed", lambda: found)
    monkeypatch.setattr(plotting, "_letters", lambda path: held.get(path, frozenset("error epoch().0123456789")))
    figure = new_figure(3, 2)
    axes = figure.subplots()
    plain(axes, "epoch", "error (年)")
    plotting.use_fonts_for_all_letters(figure)
    assert axes.yaxis.label.get_fontfamily()[-1] == "Song"
    assert "Song" not in axes.xaxis.label.get_fontfamily()


def test_letters_that_no_font_has_are_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(plotting, "_installed", list)
    with caplog.at_level(logging.WARNING, "model.figures.plotting"):
        for _ in range(2):
            figure = new_figure(3, 2)
            plain(figure.subplots(), "epoch", "error (円)")
            png(figure)
    (warning,) = caplog.messages
    assert "円" in warning
