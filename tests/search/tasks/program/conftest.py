"""Trials and programs for the tests of what runs them."""

import io
import textwrap

import psutil
import pytest

from search.space.seeds import TrialSeeds
from search.study.trial import Trial
from search.tasks.program.program import Program
from search.tasks.program.runner import ProgramRunner

HEAD = """
import agesearch, json, os, sys, time

def serve(objective, **given):
    if __name__ == "__main__":
        agesearch.serve(objective, **given)
"""


@pytest.fixture
def trial_of():
    """Make a trial of x = 0.5, unless it says otherwise."""

    def make(x=0.5, **changed):
        given = {
            "number": 7,
            "stage": 0,
            "slot": 3,
            "attempt": 1,
            "params": {"x": x},
            "seeds": TrialSeeds(parameters=1, subset=2, weights=3, order=4),
            "budget": {"epochs": 2},
            "report": lambda *_: None,
            "should_stop": lambda: False,
            "should_prune": lambda: "",
        }
        return Trial(**(given | changed))

    return make


@pytest.fixture
def write(tmp_path):
    """Write a program that serves, or with `head=""` any other, and return its path."""

    def make(body, name="train.py", head=HEAD):
        path = tmp_path / name
        path.write_text(head + textwrap.dedent(body))
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def log():
    return io.BytesIO()


@pytest.fixture
def runner_of(tmp_path, log):
    """Make a runner of a program, or of a command, with a log of its own; none may leave a child of ours behind."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}

    def make(path=None, expected=None, **settings):
        return ProgramRunner(Program(path=path, folder=tmp_path, **settings), log, expected)

    yield make
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert left == []


@pytest.fixture
def is_alive():
    """Tell whether a process is alive, and no zombie."""

    def ask(pid):
        return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

    return ask
