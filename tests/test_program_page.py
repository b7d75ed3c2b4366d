"""The page about programs of one's own: its program, its script, its transcript and its tables are as they run."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import agesearch
from search.space.seeds import TrialSeeds
from search.study.trial import Outcome, Trial
from search.tasks.program import kept, messages
from search.tasks.program.program import Program
from search.tasks.program.runner import ProgramRunner
from tests.pages import ROOT, typed

PAGE = (ROOT / "docs/program.md").read_text()


def block(kind):
    """The page's first block of that kind."""
    return re.search(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]


@pytest.fixture
def trial_of():
    def make(**params):
        own = {
            "number": 7,
            "stage": 0,
            "slot": 0,
            "attempt": 1,
            "seeds": TrialSeeds(1, 2, 3, 4),
            "budget": {"epochs": 2},
        }
        asked = {"report": lambda *_: None, "should_stop": lambda: False, "should_prune": lambda: ""}
        return Trial(params=params, folder=Path("/tmp/kept"), **own, **asked)  # noqa: S108 - as the page has it

    return make


def test_the_program_runs_by_hand_as_the_page_types_it(tmp_path):
    (tmp_path / "train.py").write_text(block("python"))
    line = re.search(r"^python (train\.py .*)$", PAGE, re.MULTILINE)[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *line.split()]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert float(ended.stdout) == pytest.approx(0.999**2)


def test_the_transcript_is_what_worker_and_program_say(tmp_path, trial_of, monkeypatch):
    (tmp_path / "train.py").write_text(block("python"))
    said = []
    write, feed = kept.write_now, messages.Lines.feed
    monkeypatch.setattr(kept, "write_now", lambda pipe, line: (said.append(f"→ {line.decode()}"), write(pipe, line)))
    monkeypatch.setattr(
        messages.Lines,
        "feed",
        lambda self, piece: (said.extend(f"← {line}\n" for line in piece.decode().splitlines()), feed(self, piece)),
    )
    with ProgramRunner(Program(path=Path("train.py"), folder=tmp_path)) as run:
        assert run(trial_of(lr=0.1)) == Outcome(pytest.approx(0.81))
    shown = re.search(r"^```\n(← .*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
    assert rounded("".join(said)) == rounded(shown)


def rounded(text):
    """A text whose numbers have six digits, as a page has them."""
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.6g}", text)


def test_the_script_speaks_the_protocol(tmp_path, trial_of):
    (tmp_path / "train.sh").write_text(block("sh"))
    (tmp_path / "train.sh").chmod(0o755)
    with ProgramRunner(Program(path=Path("train.sh"), folder=tmp_path)) as run:
        assert [run(trial_of(x=x)).score for x in (0.5, -3)] == [0.25, 9.0]


def test_the_settings_are_toml_with_a_space_and_a_budget():
    settings = tomllib.loads(block("toml"))
    assert (settings["space"].keys(), settings["budget"].keys()) == ({"lr"}, {"epochs"})


def test_the_table_has_all_that_a_trial_has():
    names = {name for name in dir(agesearch.Trial(None, message())) if not name.startswith("_")}
    table = PAGE.partition("## What a trial has")[2].partition("\n\nThe objective")[0]
    known = set(re.findall(r"`(\w+)", table))
    old = {"suggest_uniform", "suggest_loguniform", "suggest_discrete_uniform", "user_attrs"}
    assert names - old <= known


def message():
    return {"trial": 1, "params": {}, "budget": {}, "seed": 0, "number": 0, "final": False, "folder": "."}


@pytest.fixture
def reader(tmp_path):
    """A folder with what the page has a reader write, and an environment that makes its searches small."""
    (tmp_path / "train.py").write_text(block("python"))
    (tmp_path / "agesearch.toml").write_text(block("toml"))
    ours = {name: text for name, text in os.environ.items() if not name.startswith("AGESEARCH_")}
    path = f"{Path(sys.executable).parent}:{ours['PATH']}"
    small = {"AGESEARCH_TRIALS": "2,2", "AGESEARCH_FINALISTS": "2", "AGESEARCH_FINALIST_REPEATS": "2"}
    return tmp_path, {**ours, **small, "PATH": path, "PYTHONPATH": str(ROOT), "AGESEARCH_WORKERS": "1"}


@pytest.mark.timeout(600)
def test_every_command_of_the_page_does_what_it_says_in_its_order(reader):
    folder, environment = reader
    lines = [line for page, line in typed("agesearch ") if page == "program.md"]
    assert len(lines) >= 7
    for line in lines:
        ran = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, f"{line}\n{ran.stderr}"
    assert (folder / "runs/fit/result.json").is_file()


@pytest.mark.timeout(600)
def test_the_search_from_python_runs_as_it_stands_on_the_page(reader):
    folder, environment = reader
    (program,) = re.findall(r"^```python\n(import agesearch\n\nstudy = .*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "12 trials, the first of them {'number': 0" in ran.stdout
    assert (folder / "scripted.toml").is_file()


@pytest.mark.timeout(600)
@pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_the_notebook_runs_from_its_first_cell_to_its_last(tmp_path, reader):
    _, environment = reader
    shutil.copytree(ROOT / "examples/scikit-learn", tmp_path / "example")
    cells = json.loads((tmp_path / "example/search.ipynb").read_text())["cells"]
    program = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    command = [sys.executable, "-c", f"{program}\nassert 'tensorflow' not in __import__('sys').modules"]
    ran = subprocess.run(command, cwd=tmp_path / "example", env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "example/runs/notebook-fit/result.json").is_file()
