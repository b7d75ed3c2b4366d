import json
import math

import pytest
from rich.console import Console

from search.cli.printing import answer, answer_json, columns, progress_bar
from search.report.sections import LeftOut


def test_an_answer_is_a_line_on_stdout(capsys):
    answer("6 trials")
    assert capsys.readouterr() == ("6 trials\n", "")


def test_an_answer_can_be_read_from_a_pipe_at_once(monkeypatch):
    written = []

    class Pipe:
        def write(self, text):
            written.append(text)

        def flush(self):
            written.append("flushed")

    monkeypatch.setattr("sys.stdout", Pipe())
    answer("here")
    assert written[-1] == "flushed"


def test_a_json_answer_can_be_parsed(capsys):
    answer_json({"ages": [1, 2.5], "name": "é"})
    assert json.loads(capsys.readouterr().out) == {"ages": [1, 2.5], "name": "é"}


def test_a_dataclass_is_answered_by_its_fields_wherever_it_is(capsys):
    answer_json({"left_out": [LeftOut("Search", "no study")]})
    assert json.loads(capsys.readouterr().out) == {"left_out": [{"title": "Search", "reason": "no study"}]}


def test_what_json_has_no_number_for_is_refused(capsys):
    with pytest.raises(ValueError, match="not JSON compliant"):
        answer_json({"score": math.nan})
    assert capsys.readouterr().out == ""


def test_columns_are_aligned_the_first_to_the_left_and_the_others_to_the_right():
    assert columns([("image", "age"), ("a-long-name.png", "7.5"), ("b", "31.25")]) == (
        "image              age\n"
        "a-long-name.png    7.5\n"
        "b                31.25"
    )  # fmt: skip


def test_nothing_is_shown_of_progress_without_a_terminal(capsys):
    with progress_bar("reading images") as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_has_a_bar_on_stderr(capsys, monkeypatch):
    monkeypatch.setattr("rich.console.Console", lambda stderr: Console(stderr=stderr, force_terminal=True, width=100))
    with progress_bar("reading images") as progress:
        progress(1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "reading images" in captured.err
    assert "1/2" in captured.err
