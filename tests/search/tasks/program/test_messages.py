"""Lines and messages of the protocol."""

import json

import pytest

import agesearch
from search.study.trial import Diverged, Outcome
from search.tasks.program import messages
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.messages import Lines, scored, trial_line


def test_worker_and_client_speak_the_same_version():
    assert agesearch.VERSION == messages.VERSION


def test_lines_come_whole_however_the_pieces_are_cut():
    lines, sent = Lines(), b'{"type": "hello", "version": 1}\n{"type": "report", "trial": 4}\n{"type"'
    found = []
    for place in range(len(sent)):
        lines.feed(sent[place : place + 1])
        found += [(message.type, message.trial) for message in lines.messages()]
    assert found == [("hello", None), ("report", 4)]
    assert not lines.closed


def test_a_line_without_an_end_is_refused_when_it_is_too_long(monkeypatch):
    monkeypatch.setattr(messages, "LONGEST", 10)
    lines = Lines()
    lines.feed(b"0123456789")
    with pytest.raises(ProgramFailure, match="more than 10 bytes"):
        lines.feed(b"a")


def test_a_trial_s_message_has_all_that_a_program_is_given(trial_of):
    assert json.loads(trial_line(4, trial_of(), "/kept")) == {
        "type": "trial", "trial": 4, "number": 7, "params": {"x": 0.5}, "budget": {"epochs": 2}, "seed": 3,
        "folder": "/kept", "final": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "ending"),
    [(1, Outcome(1.0)), (10**400, Diverged("the value is inf")), (-(10**400), Diverged("the value is -inf"))],
)
def test_a_whole_number_of_any_length_is_a_value(value, ending):
    assert scored(value, {}) == ending


def test_a_divergence_keeps_its_attributes():
    assert scored(float("nan"), {"a": 1}) == Diverged("the value is nan", {"attributes.json": b'{\n "a": 1\n}'})
