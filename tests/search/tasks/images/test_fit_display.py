from contextlib import contextmanager
from functools import partial

import pytest
from rich.console import Console

from model.training.final_fit import FitState
from model.training.history import Epoch
from search.tasks.images import fit_display
from search.tasks.images.fit_display import FitDisplay

FIRST, SECOND = Epoch(1, 12.0, 11.5, 3.4, True), Epoch(2, 11.0, 11.75, 3.0, False)


def state(*history):
    return FitState(None, history, None)


@contextmanager
def shown(epochs, name=""):
    with FitDisplay(epochs, "years", name).shown() as update:
        yield update


def test_without_a_terminal_a_line_is_printed_for_each_epoch_that_has_ended(capsys):
    with shown(2) as update:
        update(state(), 1, 0.0)
        update(state(), 1, 0.5)
        update(state(FIRST), 2, 0.0)
        update(state(FIRST), 2, 0.5)
        update(state(FIRST, SECOND), 2, 1.0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "epoch 1: training 12.000, validation 11.500 years, 3 s, the best so far",
        "epoch 2: training 11.000, validation 11.750 years, 3 s",
    ]


def test_one_fit_of_several_says_which_it_is(capsys):
    with shown(2, "runs/fit/member-2") as update:
        update(state(), 1, 0.0)
    assert capsys.readouterr().err == "runs/fit/member-2\n"


def test_a_fit_that_goes_on_says_after_which_epoch(capsys):
    with shown(3) as update:
        update(state(FIRST), 2, 0.0)
        update(state(FIRST, SECOND), 3, 0.0)
    assert capsys.readouterr().err.splitlines() == [
        "going on after epoch 1",
        "epoch 2: training 11.000, validation 11.750 years, 3 s",
    ]


def test_a_fit_that_had_ended_says_so_and_does_not_go_on(capsys):
    with shown(2) as update:
        update(state(FIRST, SECOND), 2, 1.0)
    assert capsys.readouterr().err == "the fit has ended already, after epoch 2\n"


@pytest.mark.parametrize(("last", "text"), [((FIRST,), "best 11.500 years, epoch 1"), ((), "0/2")])
def test_a_terminal_has_a_bar_with_the_best_epoch(last, text, capsys, monkeypatch):
    monkeypatch.setattr(
        fit_display,
        "Console",
        lambda stderr, markup: Console(stderr=stderr, markup=markup, force_terminal=True, width=120),
    )
    with shown(2) as update:
        update(state(), 1, 0.0)
        update(state(*last), 2, 0.25)
    written = capsys.readouterr().err
    assert text in written
    assert "epoch 1: training" not in written


def test_a_unit_in_brackets_is_shown_as_it_is(capsys, monkeypatch):
    monkeypatch.setattr(fit_display, "Console", partial(Console, force_terminal=True, width=120))
    with FitDisplay(2, "[/s]", "runs/[/x]").shown() as update:
        update(state(FIRST), 2, 0.25)
    written = capsys.readouterr().err
    assert "runs/[/x]" in written
    assert "best 11.500 [/s], epoch 1" in written
