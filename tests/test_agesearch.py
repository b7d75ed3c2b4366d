"""The client of a program's trial: by hand, and an objective that was written for Optuna."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import agesearch

PROGRAM = """
import agesearch

def objective(trial):
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 9, step=2)
    kind = trial.suggest_categorical("kind", ["adam", "sgd"])
    for epoch in range(trial.budget["epochs"]):
        trial.report(lr * epoch, epoch)
        if trial.should_prune() or trial.should_stop():
            raise agesearch.TrialPruned
    trial.set_user_attr("kind", kind)
    (trial.folder / "model").write_text(str(trial.seed))
    return lr * layers

if __name__ == "__main__":
    agesearch.serve(objective)
"""


@pytest.fixture
def by_hand(tmp_path):
    """Run a program by hand."""

    def run(*words, program=PROGRAM):
        (tmp_path / "train.py").write_text(program)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(agesearch.__file__).parent)}
        environment["TMPDIR"] = str(tmp_path)
        command = [sys.executable, "train.py", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


def test_by_hand_a_program_runs_one_trial_and_prints_its_value(by_hand, tmp_path):
    ended = by_hand("--lr", "1e-3", "--layers=3", "--kind", "sgd", "--epochs", "2", "--seed", "5", "--folder", "kept")
    assert (ended.returncode, ended.stdout) == (0, "0.003\n")
    assert ended.stderr.splitlines() == [
        f"agesearch: {said}" for said in ("step 0: 0.0", "step 1: 0.001", "kind = sgd")
    ]
    assert (tmp_path / "kept/model").read_text() == "5"


def test_by_hand_what_is_not_given_is_the_middle_of_its_range_and_said(by_hand):
    ended = by_hand("--epochs", "0")
    assert ended.stdout == "0.005\n"
    for name, value in (("lr", 0.001), ("layers", 5), ("kind", "adam")):
        assert f"agesearch: {name} = {value}, unless you give --{name}\n" in ended.stderr
    assert "the trial's folder is" in ended.stderr


def test_by_hand_a_budget_that_is_not_given_is_asked_for(by_hand):
    ended = by_hand("--lr", "1e-3")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.endswith("agesearch: epochs is missing; by hand, give --epochs\n")


def test_by_hand_a_name_that_the_trial_does_not_ask_for_is_reported(by_hand):
    assert "the trial did not ask for lrr" in by_hand("--lrr", "1", "--epochs", "0").stderr


@pytest.mark.parametrize("words", [["train"], ["--lr"], ["-l", "1"]])
def test_by_hand_what_is_no_name_with_a_value_is_refused(by_hand, words):
    ended = by_hand(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert repr(words[0]) in ended.stderr


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("return 'good'", "is 'good'; it must be one number"),
        ("raise agesearch.TrialPruned('poor')", "TrialPruned: poor"),
    ],
)
def test_by_hand_a_trial_without_a_value_fails(by_hand, does, said):
    ended = by_hand(program=f"import agesearch\ndef objective(trial):\n    {does}\nagesearch.serve(objective)\n")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert said in ended.stderr


class Worker:
    """In the place of a worker: what a trial sends, and what it is answered."""

    def __init__(self):
        self.sent, self.answer = [], {"prune": "", "stop": False}

    def send(self, **message):
        self.sent.append(message)

    def ask(self, _trial):
        return self.answer

    def unknown(self, name, _middle):
        raise ValueError(name)


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def trial_with(worker):
    """Make a trial with such parameters."""
    message = {"trial": 1, "number": 7, "budget": {}, "seed": 3, "final": False, "folder": "kept"}
    return lambda **params: agesearch.Trial(worker, {**message, "params": params})


SUGGESTED = [
    ("suggest_float", (0.0, 1.0), {}, 0.5),
    ("suggest_float", (1e-5, 1.0), {"log": True}, 0.5),
    ("suggest_float", (0.0, 1.0), {"step": 0.25}, 0.5),
    ("suggest_int", (1, 9), {}, 3),
    ("suggest_int", (1, 9), {"step": 2}, 3),
    ("suggest_int", (1, 9), {"log": True}, 3),
    ("suggest_categorical", (["adam", "sgd"],), {}, "sgd"),
    ("suggest_categorical", ([16, 32],), {}, 32),
    ("suggest_categorical", ([True, False],), {}, False),
    ("suggest_categorical", ([0, False],), {}, False),
    ("suggest_categorical", ([1, True],), {}, 1),
    ("suggest_uniform", (0.0, 1.0), {}, 0.5),
    ("suggest_loguniform", (1e-5, 1.0), {}, 0.5),
    ("suggest_discrete_uniform", (0.0, 1.0, 0.25), {}, 0.5),
]


@pytest.mark.filterwarnings("ignore:suggest_:FutureWarning")
@pytest.mark.parametrize(("method", "bounds", "options", "value"), SUGGESTED)
def test_a_value_is_suggested_as_optuna_suggests_it(trial_with, method, bounds, options, value):
    from optuna.trial import FixedTrial

    ours = getattr(trial_with(x=value), method)("x", *bounds, **options)
    theirs = getattr(FixedTrial({"x": value}), method)("x", *bounds, **options)
    assert (type(ours), ours) == (type(theirs), theirs)


@pytest.mark.parametrize(("choice", "value"), [(None, "None"), ((64, 32), "(64, 32)"), (True, "True"), ("1", 1)])
def test_a_choice_may_be_named_by_its_text(trial_with, choice, value):
    assert trial_with(x=value).suggest_categorical("x", ["other", choice]) == choice


@pytest.mark.parametrize(
    ("value", "ask"),
    [
        ("adam", lambda trial: trial.suggest_float("x", 0, 1)),
        (True, lambda trial: trial.suggest_float("x", 0, 1)),
        (0.5, lambda trial: trial.suggest_int("x", 0, 1)),
        (True, lambda trial: trial.suggest_int("x", 0, 1)),
        (3, lambda trial: trial.suggest_categorical("x", [1, 2])),
        (1, lambda trial: trial.suggest_int("y", 0, 1)),
    ],
)
def test_another_kind_or_name_than_the_space_has_is_refused(trial_with, value, ask):
    with pytest.raises(ValueError, match=r"[xy]"):
        ask(trial_with(x=value))


def test_the_space_may_go_beyond_the_program_s_own_range_with_a_warning(trial_with):
    with pytest.warns(UserWarning, match=r"x is outside of the program's 0 to 1; \[space\] decides"):
        assert trial_with(x=2.0).suggest_float("x", 0, 1) == 2.0


def test_a_step_counts_once(trial_with, worker):
    trial = trial_with()
    for value in (1, 2):
        trial.report(value, 0)
    assert worker.sent == [{"type": "report", "trial": 1, "step": 0, "value": 1.0}]


@pytest.mark.parametrize(("value", "step"), [("low", 0), (None, 0), (1, -1), (1, 0.5), (1, "a")])
def test_a_report_that_is_none_is_refused(trial_with, value, step):
    with pytest.raises((TypeError, ValueError)):
        trial_with().report(value, step)


def test_a_trial_that_is_to_stop_is_to_be_pruned_as_well(trial_with, worker):
    trial = trial_with()
    assert (trial.should_prune(), trial.should_stop()) == (False, False)
    worker.answer = {"prune": "poor", "stop": False}
    assert (trial.should_prune(), trial.should_stop()) == (True, False)
    worker.answer = {"prune": "", "stop": True}
    assert (trial.should_prune(), trial.should_stop()) == (True, True)


def test_attributes_may_be_numpy_s_and_nothing_that_is_no_json(trial_with):
    import numpy as np

    trial = trial_with()
    trial.set_user_attr("error", np.float32(0.5))
    trial.set_user_attr("curve", np.arange(3))
    assert json.dumps(trial.user_attrs) == '{"error": 0.5, "curve": [0, 1, 2]}'
    with pytest.raises(TypeError, match="no JSON"):
        trial.set_user_attr("model", object())


def test_the_client_is_written_for_python_3_9():
    source = Path(agesearch.__file__).read_text()
    compile(source, "agesearch.py", "exec", dont_inherit=True)
    import ast

    ast.parse(source, feature_version=(3, 9))
