"""Searches of a user's own program, by the commands and in processes: killed on the way, moved, resumed and fitted."""

import json
import shutil
import signal
import subprocess
import sys
import venv
from collections import Counter
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import psutil
import pytest
from sqlalchemy import update

from search.results.records import trial_records
from search.run.loop import work
from search.storage.database import open_storage
from search.storage.tables import slots
from search.study.slots import Slots
from search.study.study import load_study
from search.tasks.program.program import Program
from search.tasks.program.runner import ProgramRunner
from tests.pages import ROOT
from tests.waiting import until

EXAMPLES = {
    "scikit-learn": ("sklearn", "train.py"),
    "keras-fit": ("keras", "train.py"),
    "pytorch": ("torch", "train.py"),
    "optuna-objective": ("sklearn", "train.py"),
    "shell": (None, "--command", "./train.sh {step} {start} {rounds}"),
}
"""Each example's package, and how it is searched."""

PROGRAM = """
import os, random, time
import agesearch

def objective(trial):
    random.seed(trial.seed)
    x, y = trial.suggest_float("x", 0, 1), trial.suggest_int("y", 1, 9, step=2)
    for step in range(trial.budget["steps"]):
        time.sleep(0.02)  # a training
        trial.report(x + 1 / (1 + step), step)
        if trial.should_prune():
            raise agesearch.TrialPruned
    (trial.folder / "model.txt").write_text(str(x))
    trial.set_user_attr("drawn", random.random())
    return (x - 0.3) ** 2 + (y + random.random()) / 100

if __name__ == "__main__":
    agesearch.serve(objective)
"""
SETTINGS = """
study = "own"
trials = [8, 6]
finalists = 2
finalist_repeats = 2

[space]
x = { linear = [0, 1] }
y = { integer = [1, 9], step = 2 }

[budget]
steps = 5

[finalist_budget]
steps = 8
"""


class User:
    """A user with a folder of their own, in which they type commands."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT)}

    def start(self, *words):
        command = [sys.executable, "-P", "-m", "search", *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, **pipes)

    def type(self, *words, code=0):
        """Run a command to its end, and return what it answered; or what it said, if it is not to succeed."""
        with self.start(*words) as process:
            out, err = process.communicate()
        assert process.returncode == code, f"{words}\n{out}\n{err}"
        assert "Traceback" not in err
        return err if code else out

    def study(self, storage, name):
        return load_study(open_storage(f"sqlite:///{self.folder}/{storage}"), name)

    def results(self, storage, name):
        """What each slot came to; none has more than one trial that counts, and nothing is left over."""
        study = self.study(storage, name)
        records = trial_records(study)
        study.storage.engine.dispose()
        assert {record.state for record in records} <= {"finished", "pruned", "diverged", "failed"}
        ended = [record for record in records if record.state != "failed"]
        assert max(Counter((record.stage, record.slot) for record in ended).values()) == 1
        return {
            (record.stage, record.slot): (record.state, record.params, record.value, record.measures, record.reported)
            for record in ended
        }

    def finished(self, storage, name):
        """How many trials have finished so far."""
        with suppress(Exception):  # as long as there is no study
            study = self.study(storage, name)
            records = trial_records(study)
            study.storage.engine.dispose()
            return sum(record.state == "finished" for record in records)
        return 0


@pytest.fixture
def no_stop():
    return Event()


@pytest.fixture
def user(tmp_path):
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "agesearch.toml").write_text(SETTINGS)
    return User(tmp_path)


def processes_of(launcher, word):
    """The processes that a launcher has started, and these in turn, of whose command lines one word ends so."""
    found = []
    for process in psutil.Process(launcher.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if any(part.endswith(word) for part in process.cmdline()) and "guardian" not in " ".join(process.cmdline()):
                found.append(process)
    return found


def disturb(user, name, program, *words):
    """Search with two workers, and kill a program, a worker and the launcher, each after two more finished trials."""
    storage = ("--storage", "sqlite:///disturbed.db")
    launcher = user.start("search", *words, *storage, "--workers", "2")
    victims = (lambda: processes_of(launcher, program), lambda: processes_of(launcher, "worker"))
    for killed, find in enumerate(victims, start=1):
        until(lambda killed=killed: user.finished("disturbed.db", name) >= 2 * killed, "two more trials", pause=0.1)
        victim = until(find, "a process to kill")[0]
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    until(lambda: user.finished("disturbed.db", name) >= 6, "two more trials", pause=0.1)
    left = psutil.Process(launcher.pid).children(recursive=True)
    launcher.kill()
    launcher.communicate()
    _, alive = psutil.wait_procs(left, timeout=60)
    assert alive == []  # no program outlives its worker, and no worker its launcher
    user.type("search", *words, *storage, "--workers", "2")
    return user.results("disturbed.db", name)


def test_a_search_is_exact_though_a_program_a_worker_and_the_launcher_are_killed(user):
    disturbed = disturb(user, "own", "train.py", "train.py")
    user.type("search", "train.py", "--storage", "sqlite:///calm.db", "--workers", "1")
    assert disturbed == user.results("calm.db", "own")
    assert len(disturbed) == 8 + 6 + 4


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_exact_though_a_program_a_worker_and_the_launcher_are_killed(example, tmp_path):
    package, *words = EXAMPLES[example]
    if package and find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    shutil.copytree(ROOT / "examples" / example, tmp_path / example)
    user = User(tmp_path / example)
    settings = ("--pruning", "none", "--trials", "8,6")  # a pruned trial depends on those before it
    name = json.loads(user.type("init", *words, *settings, "--storage", "sqlite:///calm.db", "--json"))["study"]
    disturbed = disturb(user, name, "train.sh" if "--command" in words else "train.py", *words, *settings)
    user.type("search", *words, *settings, "--storage", "sqlite:///calm.db", "--workers", "1")
    assert disturbed == user.results("calm.db", name)


def test_a_program_runs_in_an_environment_and_a_folder_of_its_own(tmp_path):
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "data/__init__.py").write_text("OFFSET = 2\n")
    (home / "model.py").write_text("def value(x):\n    return x + 1\n")
    (home / "search.py").write_text("NAME = 'mine'\n")
    (home / "agesearch.toml").write_text(SETTINGS)
    (home / "train.py").write_text(
        "import sys\nfrom importlib.util import find_spec\nimport agesearch, data, model, search\n\n"
        "assert search.NAME == 'mine' and sys.prefix.endswith('other')\n"
        "assert not any(map(find_spec, ('tensorflow', 'optuna', 'numpy')))\n\n"
        "agesearch.serve(lambda trial: model.value(trial.suggest_float('x', 0, 1)) + data.OFFSET)\n"
    )
    venv.create(tmp_path / "other", with_pip=False, symlinks=True)
    user = User(home)
    del user.environment["PYTHONPATH"]  # which is the tests' way to the rooms, and would be the program's
    python = tmp_path / "other/bin/python"
    user.type("search", "train.py", "--trials", "2,1", "--finalists", "0", "--workers", "1", "--python", python)
    results = user.results("runs/study.db", "own")
    assert [value == params["x"] + 1 + 2 for _, params, value, *_ in results.values()] == [True] * 3


def test_a_value_that_comes_after_the_lease_was_lost_is_refused(study_of, tmp_path, no_stop):
    late = "import agesearch\nseen = []\nagesearch.serve(lambda trial: seen.append(1) or len(seen))\n"
    (tmp_path / "late.py").write_text(late)
    study = study_of(1)

    def run(trial):
        ending = program(trial)
        if ending.score == 1:
            with study.storage.engine.begin() as tx:  # another worker takes the slot, and gives it back
                tx.execute(update(slots).values(token=slots.c.token + 1, state="waiting", trial_id=None))
        return ending

    with ProgramRunner(Program(path=Path("late.py"), folder=tmp_path)) as program:
        work(Slots(study), run, no_stop)
    finished = [record for record in trial_records(study) if record.state == "finished"]
    assert [record.value for record in finished] == [2.0]


def test_changed_code_is_refused_at_resume_by_name_unless_that_is_allowed(user):
    search = ("search", "train.py", "--trials", "2", "--finalists", "0", "--workers", "1")
    user.type("init", "train.py", "--trials", "2", "--finalists", "0")
    with (user.folder / "train.py").open("a") as file:
        file.write("# changed\n")
    assert "train.py has changed since the study was created" in user.type(*search, code=2)
    user.type(*search, "--allow-changed")
    assert len(user.results("runs/study.db", "own")) == 2


def test_code_that_changes_while_its_search_runs_ends_the_search_and_charges_no_trial(user):
    (user.folder / "train.py").write_text(
        PROGRAM.replace(
            "    random.seed(trial.seed)",
            '    open(__file__, "a").write("#")\n    os._exit(1)',
        )
    )
    search = ("search", "train.py", "--trials", "2", "--finalists", "0", "--workers", "1")
    assert "train.py has changed since the study was created" in user.type(*search, code=2)
    study = user.study("runs/study.db", "own")
    first, second = sorted(record.reason for record in trial_records(study))
    study.storage.engine.dispose()
    assert first.startswith("ProgramFailure: it ended with exit code 1")
    assert second.startswith("given back: train.py has changed")


def test_a_study_of_a_program_goes_the_whole_way(user):
    (user.folder / "agesearch.toml").write_text(SETTINGS.replace('study = "own"', 'study = "own"\npruning = "median"'))
    own = ("--direction", "maximize", "--sampler", "tpe", "--enqueue", "x=0.125", "--metric", "gain", "--unit", "mm")
    said = user.type("search", "train.py", *own, "--workers", "2")
    assert "chosen:" in said
    records = json.loads(user.type("trials", "--json"))
    assert records[0]["params"]["x"] == 0.125
    status = json.loads(user.type("status", "--json"))
    assert (status["score"]["name"], status["score"]["direction"], status["findings"]) == ("gain", "maximize", [])
    scores = [record["value"] for record in records if record["stage"] in (1, 2) and record["value"] is not None]
    assert json.loads(user.type("search", "train.py", *own, "--json"))["best"]["score"] == max(scores)
    assert "nothing is wrong" in user.type("repair")
    kept = [path.read_bytes() for path in (user.folder / "runs/study.db.artifacts").rglob("*") if path.is_file()]
    assert {str(record["params"]["x"]).encode() for record in records if record["state"] == "finished"} <= set(kept)
    study = user.study("runs/study.db", "own")
    shown = str(study.storage.rdb.get_study_system_attrs(study.id))
    study.storage.engine.dispose()
    assert "the value that the program returned" in shown  # the study's page has a note
    assert '"margin"' in shown  # and a map
    user.type("move", "--from", "sqlite:///runs/study.db", "--to", "sqlite:///moved.db")
    assert json.loads(user.type("trials", "--storage", "sqlite:///moved.db", "--json")) == records
    user.type("search", "train.py", *own, "--study", "other", "--seed", "1", "--workers", "2")
    assert "own" in user.type("compare", "own", "other")
    user.type("export", "--out", "best.toml")
    found = json.loads(user.type("fit", "best.toml", "--out", "fit", "--fit", "steps=12", "--json"))
    assert (len(found["reported"]), found["budget"]) == (12, {"steps": 12})
    assert (user.folder / "fit/files/model.txt").read_text() == str(found["params"]["x"])


def test_ctrl_c_ends_a_fit_and_its_program(user):
    user.type("search", "train.py", "--trials", "1", "--finalists", "0", "--workers", "1")
    user.type("export", "--out", "best.toml")
    fit = user.start("fit", "best.toml", "--out", "fit", "--fit", "steps=1000000")
    assert fit.stderr.readline().startswith("step 0: ")
    left = psutil.Process(fit.pid).children(recursive=True)
    fit.send_signal(signal.SIGINT)
    fit.communicate()
    assert fit.returncode == 130
    assert psutil.wait_procs(left, timeout=30)[1] == []
    assert not Path(user.folder, "fit/result.json").exists()
