"""Letters that the figures' own font lacks."""

import logging
from types import SimpleNamespace

import pytest

from model.figures import fonts
from model.figures.plotting import new_figure, plain, png


@pytest.fixture(autouse=True)
def _forget() -> None:
    fonts._font_with.cache_clear()


def test_a_unit_is_drawn_in_a_font_that_has_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"han.ttf": frozenset("年"), "box.ttf": frozenset("年")}
    found = [
        SimpleNamespace(name=name, fname=path, weight=400, style="normal")
        for name, path in (("Last Resort", "box.ttf"), ("Song", "han.ttf"))
    ]
    monkeypatch.setattr(fonts, "_installed", lambda: found)
    monkeypatch.setattr(fonts, "_letters", lambda path: held.get(path, frozenset("error epoch().0123456789")))
    figure = new_figure(3, 2)
    axes = figure.subplots()
    plain(axes, "epoch", "error (年)")
    fonts.use_fonts_for_all_letters(figure)
    assert axes.yaxis.label.get_fontfamily()[-1] == "Song"
    assert "Song" not in axes.xaxis.label.get_fontfamily()


def test_letters_that_no_font_has_are_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fonts, "_installed", list)
    with caplog.at_level(logging.WARNING, "model.figures.fonts"):
        for _ in range(2):
            figure = new_figure(3, 2)
            plain(figure.subplots(), "epoch", "error (円)")
            png(figure)
    (warning,) = caplog.messages
    assert "円" in warning
