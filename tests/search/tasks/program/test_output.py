"""What becomes of a program's output."""

import io

import pytest

from search.tasks.program import output
from search.tasks.program.output import Output


@pytest.fixture
def log(monkeypatch):
    monkeypatch.setattr(output, "LOGGED", 10)
    monkeypatch.setattr(output, "KEPT", 20)
    return io.BytesIO()


def test_output_goes_to_the_log_up_to_a_limit_for_each_trial(log):
    written = Output(log)
    for _ in range(2):
        written.begin()
        written.feed(b"0123456")
        written.feed(b"789abcdef")
    written.end()
    left_out = b"\nagesearch: 6 more bytes of the program's output are left out\n"
    assert log.getvalue() == 2 * (b"0123456789" + left_out)


def test_the_last_lines_explain_what_went_wrong(log):
    written = Output(log)
    written.begin()
    assert written.last() == "it wrote nothing"
    written.feed(b"a long first line\nsecond\n")
    written.feed(b"third\n\n")
    assert written.last() == "it wrote last:\n line\nsecond\nthird"
    written.begin()
    assert written.last() == "it wrote nothing"


def test_what_is_no_text_is_shown_as_far_as_it_is(log):
    written = Output(log)
    written.feed(b"caf\xe9")
    assert written.last().endswith("caf\N{REPLACEMENT CHARACTER}")
