"""The examples, each at both ends of its space, and twice at one of them."""

import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from search.study.trial import Outcome
from search.tasks.program.placeholders import require_placeholders
from search.tasks.program.program import Program
from search.tasks.program.runner import ProgramRunner

EXAMPLES = Path(__file__).parents[4] / "examples"
NEEDS = {"scikit-learn": "sklearn", "keras-fit": "keras", "pytorch": "torch", "optuna-objective": "sklearn"}
"""The package that an example cannot do without."""


@pytest.fixture(params=["keras-fit", "optuna-objective", "pytorch", "scikit-learn", "shell"])
def example(request):
    needed = NEEDS.get(request.param)
    if needed and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    return EXAMPLES / request.param


def settings_of(example):
    return tomllib.loads((example / "agesearch.toml").read_text())


def program_of(example):
    """The program as the first line of the example's settings has it searched."""
    *_, asked = re.match(r"# agesearch search (--command )?(.*)\n", (example / "agesearch.toml").read_text()).groups()
    word = shlex.split(asked)[0]
    return Program(path=Path(word), folder=example) if word == "train.py" else Program(command=word, folder=example)


def at(searched, end):
    """The value at one end of a range: 0 the lowest, -1 the highest."""
    if isinstance(searched, dict):
        (bounds,) = [given for given in searched.values() if isinstance(given, list)]
        return bounds[end]
    return searched[end]


def test_an_example_runs_at_both_ends_of_its_space(example, trial_of, log, tmp_path):
    settings, reported = settings_of(example), []
    params = [{name: at(searched, end) for name, searched in settings["space"].items()} for end in (0, -1)]
    budget = settings.get("budget", {})
    with ProgramRunner(program_of(example), log) as run:
        first, last, again = (
            run(
                trial_of(params=given, budget=budget, folder=tmp_path, final=True, report=lambda *_: reported.append(1))
            )
            for given in (*params, params[0])
        )
    assert isinstance(first, Outcome), log.getvalue()
    assert first.score != last.score
    assert first == again
    assert bool(reported) is (example.name not in ("scikit-learn", "shell"))


def test_an_example_asks_for_what_its_space_has(example):
    settings = settings_of(example)
    program, names = program_of(example), sorted(settings["space"])
    if program.command:
        require_placeholders(program.command, names, settings["budget"])
    else:
        text = (example / "train.py").read_text()
        asked = re.findall(r"suggest_\w+\(\s*\"(\w+)\"|params\[\"(\w+)\"\]", text)
        assert sorted({one or other for one, other in asked}) == names
        assert sorted(re.findall(r"budget\[\"(\w+)\"\]", text)) == sorted(settings.get("budget", {}))


def test_an_example_is_short(example):
    (program,) = [path for path in example.iterdir() if path.suffix in (".py", ".sh")]
    assert len(program.read_text().splitlines()) < 40
