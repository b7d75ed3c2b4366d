"""The whole way with processes, signals and files, on a few faces, by the paper's network at a quarter of its width."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from contextlib import suppress
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest

from data.build import build_dataset
from data.options import BuildOptions
from search.errors import SearchError
from search.storage.database import open_storage, quieten_optuna
from search.study.owner import is_gone, process_of
from search.study.slots import Slots
from search.study.study import load_study
from search.study.workers import list_workers
from tests.browser import visit
from tests.integration import fake_study
from tests.search.tiny import write_tiny
from tests.waiting import until

pytestmark = pytest.mark.timeout(1200)  # a search, by whichever test comes first; others may be using the machine

ROOT = Path(__file__).parents[2]
BUDGET = ["--data", "faces.h5", "--trials", "3,3", "--images", "32", "--epochs", "1", "--seed", "1"]
BUDGET += ["--finalists", "2", "--finalist-repeats", "2", "--space", "width=8"]
SEARCH = ["search", *BUDGET]
FIT = ["fit", "best.toml", "--data", "faces.h5", "--fit-epochs", "2"]


DYING = """
from search.__main__ import main
from tests.integration.fake_study import die_at

die_at("after data.files:write_bytes", 2)  # the first file says what is fitted, the second is the first epoch's state
main()
"""
"""The program, which is killed once a fit has kept its first epoch."""


class Folder:
    """A user's folder, in which commands are run on a study storage that only the environment names."""

    def __init__(self, path, storage):
        self.path = path
        self.url = f"sqlite:///{storage}"
        ours = {name: text for name, text in os.environ.items() if not name.startswith("AGESEARCH_")}
        self.environment = {**ours, "AGESEARCH_STORAGE": self.url, "PYTHONPATH": str(ROOT)}
        self._started = []

    def start(self, *arguments, program=("-m", "search")):
        process = subprocess.Popen(
            [sys.executable, "-P", *program, *arguments],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def run(self, *arguments, code=0):
        """Run a command to its end, and return what it printed: the answer, or what went wrong."""
        process = self.start(*arguments)
        out, err = process.communicate()
        assert process.returncode == code, err
        return out if code == 0 else err

    def study(self):
        return load_study(open_storage(self.url), "age")

    def close(self):
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with two datasets, and with a user's own things by the names of our packages."""
    path = tmp_path_factory.mktemp("home")
    build_dataset("synthetic", path / "faces.h5", BuildOptions(sizes=(64, 24, 16)))
    write_tiny(path / "other.h5", (40, 4, 3))
    (path / "data").mkdir()
    for name in ("search.py", "model.py"):
        (path / name).write_text("raise SystemExit('a file of the user was run')")
    quieten_optuna()
    return path


@pytest.fixture(scope="module")
def folder_of(home):
    """Make a `Folder` with a storage of its own, whose path holds the word secret, as a URL may hold a password."""
    with fake_study.in_memory() as storages:
        folders = []

        def create(name):
            folders.append(Folder(home, f"{storages}/secret-{name}.db"))
            return folders[-1]

        yield create
        for folder in folders:
            folder.close()


@pytest.fixture(scope="module")
def folder(folder_of):
    """The folder whose study two workers have run, undisturbed."""
    folder = folder_of("undisturbed")
    folder.run(*SEARCH, "--workers", "2")
    return folder


@pytest.fixture(scope="module")
def values(folder):
    """Parameters and value of each stage and slot, as two undisturbed workers found them."""
    return fake_study.finished(folder.study())


@pytest.fixture(scope="module")
def again(folder):
    """The search once more, in the precision that was measured to be the fastest for the first one."""
    return [*SEARCH, "--precision", folder.study().spec.task.settings["precision"]]


@pytest.fixture(scope="module")
def fitted(folder):
    """The folder, after the best configuration has been exported and fitted."""
    folder.run("export", "--out", "best.toml")
    folder.run(*FIT, "--out", "fit")
    return folder


def status(folder):
    return json.loads(folder.run("status", "--json"))


def busy_worker(folder, finished=0):
    """Return a worker that runs a trial, once as many trials have finished; None until then."""
    try:
        study = folder.study()
    except SearchError:
        return None
    if len(fake_study.finished(study)) < finished:
        return None
    return next((each for each in list_workers(study) if each.runs and each.state == "running"), None)


def assert_exact(folder, values):
    study = folder.study()
    assert fake_study.finished(study) == values
    assert fake_study.running(study) == []
    assert [Slots(study).counts(stage).finished for stage in (1, 2, 3)] == [3, 3, 4]


def test_two_workers_end_with_exactly_the_trials_asked_for(folder, values):
    assert [place for place, _ in values] == [*product((1, 2), range(3)), *product((3,), range(4))]
    assert_exact(folder, values)
    now = status(folder)
    assert [stage["counts"] for stage in now["stages"]] == [
        {"waiting": 0, "claimed": 0, "finished": count, "failed": 0} for count in (3, 3, 4)
    ]
    assert now["best"]["score"] == min(value for (stage, _), (_, value) in values if stage < 3)
    assert now["verdict"]["finalists"][0]["mean"] == min(one["mean"] for one in now["verdict"]["finalists"])
    assert [worker["state"] for worker in now["workers"]] == ["stopped"] * 2
    assert sum(worker["finished"] for worker in now["workers"]) == 10


def test_searching_again_adds_no_trial_and_prints_the_same_table(folder, values):
    found = json.loads(folder.run(*SEARCH, "--workers", "2", "--json"))
    scores = [trial["score"] for trial in found["top"]]
    assert scores == sorted(value for (stage, _), (_, value) in values if stage < 3)[:5]
    assert len(folder.study().storage.rdb.get_all_trials(folder.study().id)) == 10


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        (["--seed", "2"], "seed = 1, you asked for seed = 2"),
        (["--data", "other.h5"], "data = "),
        (["--images", "33", "--epochs", "2"], "images = 32, you asked for images = 33; epochs = 1, you asked for "),
    ],
)
def test_a_study_is_not_resumed_with_other_settings(changed, difference, folder):
    said = folder.run(*SEARCH, *changed, code=2)
    assert said.startswith("agesearch: the study 'age' was created with ")
    assert difference in said
    assert said.count("\n") == 1


def test_one_worker_that_is_killed_and_watched_meanwhile_finds_what_two_undisturbed_ones_found(
    values, again, folder_of
):
    folder = folder_of("one-worker")
    search = folder.start(*again, "--workers", "1")
    until(lambda: busy_worker(folder), "a running trial")
    commands = [one.cmdline() for one in psutil.Process(search.pid).children(recursive=True)]
    assert any("worker" in command for command in commands)
    assert not any("secret" in word for command in [*commands, search.args] for word in command)

    dashboard = folder.start("dashboard", "--port", "0")  # it starts while trials run, and is there in time
    victim = until(lambda: busy_worker(folder, finished=1), "a running trial after a finished one")
    os.kill(victim.pid, signal.SIGKILL)
    port = studies_are_listed_on(dashboard)
    assert search.poll() is None, "the search ended before it had been watched"
    ends_on_ctrl_c(folder, dashboard, port)
    assert search.wait() == 0, search.stderr.read()
    assert_exact(folder, values)
    workers = status(folder)["workers"]
    assert [(worker["state"], worker["pid"] == victim.pid) for worker in workers] == [
        ("dead", True),
        ("stopped", False),
    ]
    for log in (folder.path / "runs/logs/age").iterdir():
        assert "secret" not in log.read_text()


def studies_are_listed_on(dashboard):
    address = re.search(r"http://127\.0\.0\.1:(\d+)/", dashboard.stdout.readline())
    with urllib.request.urlopen(f"{address[0]}api/studies") as answer:  # noqa: S310  (the address is ours)
        assert [study["study_name"] for study in json.load(answer)["study_summaries"]] == ["age"]
    return address[1]


def ends_on_ctrl_c(folder, dashboard, port):
    taken = folder.run("dashboard", "--port", port, code=2)
    assert "Address already in use; choose another --port" in taken
    dashboard.send_signal(signal.SIGINT)
    assert dashboard.wait() == 130
    (asked,) = dashboard.stderr.read().splitlines()
    assert re.fullmatch(r".* 127\.0\.0\.1 GET /api/studies 200 \d+ ms", asked)


@pytest.mark.slow
def test_a_search_that_is_killed_and_stopped_again_and_again_ends_as_if_undisturbed(values, again, folder_of):
    folder = folder_of("disturbed")
    search = folder.start(*again, "--workers", "2")
    until(lambda: busy_worker(folder), "a running trial")
    left = [process_of(child.pid) for child in psutil.Process(search.pid).children()]
    assert len(left) == 2
    search.kill()
    until(lambda: all(map(is_gone, left)), "the end of the workers without a launcher")
    assert_given_back(folder)

    search = folder.start(*again, "--workers", "2")
    until(lambda: asks_for_devices(search), "the question for the devices")
    assert ended_by(signal.SIGINT, search) == ""
    assert_given_back(folder)

    search = folder.start(*again, "--workers", "2")
    until(lambda: busy_worker(folder, finished=1), "a running trial after a finished one")
    assert ended_by(signal.SIGTERM, search).startswith("study age in sqlite")
    assert_given_back(folder)

    folder.run(*again, "--workers", "2")
    assert_exact(folder, values)


def asks_for_devices(search):
    with suppress(psutil.NoSuchProcess):
        return any("model.engine.device" in child.cmdline() for child in psutil.Process(search.pid).children())


def ended_by(end, search):
    """End a search by a signal; returns its answer."""
    search.send_signal(end)
    out, err = search.communicate()
    assert search.returncode == 130, err
    assert "Traceback" not in err
    return out


def assert_given_back(folder):
    stages = status(folder)["stages"]
    assert sum(stage["counts"]["claimed"] for stage in stages) == 0
    assert sum(stage["counts"]["finished"] for stage in stages) < 10
    assert fake_study.running(folder.study()) == []


def test_the_best_configuration_is_fitted_evaluated_and_predicts(fitted):
    history = (fitted.path / "fit/history.csv").read_text().splitlines()
    assert len(history) == 3
    assert (fitted.path / "fit/learning_curve.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(fitted.run("evaluate", "fit", "--data", "faces.h5", "--json"))
    assert found["split"] == "test"
    assert found["images"] == 16
    assert 0 < found["mae"] < 80
    pictures = [draw(fitted.path / name, number) for number, name in enumerate(("one.png", "two.jpg"))]
    ages = json.loads(fitted.run("predict", "fit", *pictures, "--json"))
    assert [each["image"] for each in ages] == ["one.png", "two.jpg"]
    assert all(1 <= each["age"] <= 80 for each in ages)


def test_all_of_it_becomes_a_report_that_a_browser_opens_without_asking_anybody(fitted):
    fitted.run("report", "--data", "faces.h5", "--fit", "fit", "--out", "report")
    page = fitted.path / "report/report.html"
    with visit(page.as_uri()) as seen:
        titles = seen.page.locator("h2").all_inner_texts()
        broken = seen.page.evaluate("[...document.images].filter(one => !one.naturalWidth).length")
        widths = seen.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        figures = seen.page.locator("figure img").count()
    assert titles == [
        *("Result", "Errors by age", "Best and worst predictions", "Final fit", "Search", "Dataset", "Network"),
        *(["Left out"] if "Left out" in titles else []),
    ]
    assert seen.said == []
    assert [address for address in seen.asked if not address.startswith("data:")] == [page.as_uri()]
    assert (broken, widths[0]) == (0, widths[1])
    assert figures == len(list((page.parent / "figures").iterdir())) > 8


def draw(path, seed):
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (120, 100, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path.name


def test_a_fit_killed_after_its_first_epoch_goes_on_to_the_same_weights(fitted):
    again = fitted.path / "again"
    dying = fitted.start(*FIT, "--out", "again", program=("-c", DYING))
    assert dying.wait() == -signal.SIGKILL, dying.stderr.read()
    assert (again / "checkpoint.npz").exists()
    assert not (again / "model.keras").exists()
    assert "has not ended" in fitted.run("evaluate", "again", "--data", "faces.h5", code=2)
    fitted.run(*FIT, "--out", "again")
    undisturbed, resumed = (weights(fitted.path / name / "model.keras") for name in ("fit", "again"))
    assert undisturbed.keys() == resumed.keys()
    assert all(np.array_equal(undisturbed[name], resumed[name]) for name in undisturbed)


def weights(model):
    """Return the arrays in a .keras file, without loading TensorFlow."""
    found = {}
    with zipfile.ZipFile(model) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    assert len(found) > 20
    return found


def test_a_fit_on_another_dataset_than_the_search_saw_is_refused(fitted):
    said = fitted.run("fit", "best.toml", "--data", "other.h5", "--out", "elsewhere", code=2)
    assert re.fullmatch(r"agesearch: other\.h5 has the digest .*; give the dataset it comes from, or .*\n", said)
    assert not (fitted.path / "elsewhere").exists()
