"""The services of docker-compose.yml for real, without containers: their command lines, environment, user and folders.

A folder is the root of all containers: only what is a volume or tmpfs in them can be written to.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.compose import ROOT, image_environment, postgres_variables, service, variables_of
from tests.postgres import GUARDED, PASSWORD
from tests.search.tiny import write_tiny

USER = 10001
AS_ROOT = os.geteuid() == 0
# Capabilities of the host's files alone: the interpreter may lie in root's own folder, which an image has none of.
AS_USER = (
    *("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"),
    *(f"--{which}=-all,+dac_read_search" for which in ("inh-caps", "ambient-caps", "bounding-set")),
)
OWN_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
BUDGET = {
    "AGESEARCH_TRIALS": "1",
    "AGESEARCH_IMAGES": "6",
    "AGESEARCH_EPOCHS": "1",
    "AGESEARCH_FINALISTS": "0",
    "AGESEARCH_PRECISION": "float32",
    "AGESEARCH_WORKERS": "1",
}
VARIABLES = variables_of((ROOT / ".env.example").read_text()) | BUDGET


class Box:
    """A folder that is what the containers see as /."""

    def __init__(self, root, variables=VARIABLES):
        self.root, self.variables = root, variables
        self._started = []

    def environment(self, name):
        """The image's and the service's environment, absolute paths being those of the folder."""
        each = service(name, self.variables)
        environment = {**image_environment(), **each.environment}
        for key, value in environment.items():
            if value.startswith(tuple(f"{target}/" for target in each.mounts)) or value in each.mounts:
                environment[key] = f"{self.root}{value}"
        return environment | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}

    def start(self, name, command=None, before=()):
        """Start what a service runs, or another command line in its place."""
        program = {"agesearch": [sys.executable, "-P", "-m", "search"], "python": [sys.executable]}
        first, *others = command or service(name, self.variables).command
        process = subprocess.Popen(
            [*before, *(AS_USER if AS_ROOT else ()), *program[first], *others],
            cwd=self.root,
            env=self.environment(name),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def run(self, name, command=None, before=()):
        """Run it to its end, which must be a good one; returns its answer."""
        process = self.start(name, command, before)
        out, err = process.communicate()
        assert process.returncode == 0, err
        return out

    def close(self):
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def box():
    with _root() as root:
        box = Box(root)
        yield box
        box.close()


@contextmanager
def _root():
    root = Path(tempfile.mkdtemp())
    places = service("dashboard", VARIABLES).mounts
    for target, source in places.items():
        path = root / target.lstrip("/")
        is_file = "/secrets/" in target
        (path.parent if is_file else path).mkdir(parents=True, exist_ok=True)
        if is_file:
            path.write_text(f"{PASSWORD}\n")
            path.chmod(0o644 if AS_ROOT else 0o600)  # of another user in a container, as on a machine where we are root
        elif AS_ROOT and source in ("", "runs"):
            os.chown(path, USER, USER)
    write_tiny(root / "faces/faces.h5")
    root.chmod(0o555)
    yield root
    root.chmod(0o755)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def searched(box):
    """The folder after init and worker, in the order in which the containers start."""
    assert "stage 1: 0/1 finished" in box.run("init")
    return box, box.run("worker")


def test_init_makes_the_study_and_the_worker_runs_it_to_its_end(searched):
    _, answer = searched
    assert "stage 1: 1/1 finished" in answer


def test_what_runs_in_a_container_is_the_images_user_where_the_test_may_choose(searched):
    box, _ = searched
    owners = {path.stat().st_uid for path in (box.root / "runs").rglob("*")}
    assert owners == {USER if AS_ROOT else os.geteuid()}


def test_nothing_is_written_but_below_the_volume_and_the_temporary_folder(searched):
    box, _ = searched
    assert {path.name for path in box.root.iterdir()} == {"runs", "tmp", "faces", "run"}
    assert [path.name for path in (box.root / "faces").iterdir()] == ["faces.h5"]


def test_init_leaves_a_study_as_it_is_and_a_worker_is_well(searched):
    box, answer = searched
    assert box.run("init") == answer
    assert "stage 1: 1/1 finished" in box.run("worker", service("worker", VARIABLES).health)


def test_the_best_configuration_is_exported_to_the_volume(searched):
    box, _ = searched
    box.run("worker", ["agesearch", "export", "--out", "runs/best.toml"])
    assert "[hyperparameters]" in (box.root / "runs/best.toml").read_text()


def test_with_the_profile_postgres_the_study_is_in_the_database_that_the_secret_opens(box, postgresql):
    with postgresql.database("agesearch") as url:
        address = url.replace("postgres@", f"{GUARDED}@")
        study = Box(box.root, VARIABLES | postgres_variables() | {"AGESEARCH_STORAGE": address})
        answer = study.run("init")
        assert answer.startswith("study age in postgresql+psycopg://")
        assert study.run("worker", service("worker", study.variables).health).startswith(answer.splitlines()[0])
        study.close()


ASK = f"""
import urllib.error, urllib.request
for password in ("", {PASSWORD!r}):
    page = urllib.request.Request("http://127.0.0.1:8080/api/studies")
    page.add_header("Authorization", "Basic " + __import__("base64").b64encode(("me:" + password).encode()).decode())
    try:
        print(urllib.request.urlopen(page).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""


@pytest.mark.skipif(not AS_ROOT, reason="a network of its own, where nobody else listens or hears, takes root")
def test_the_dashboard_is_well_and_asks_for_the_password(searched):
    box, _ = searched
    dashboard = box.start("dashboard", before=OWN_NETWORK)
    assert re.search(r"http://0\.0\.0\.0:8080/", dashboard.stdout.readline()), dashboard.stderr.read()
    within = ("nsenter", f"--net=/proc/{dashboard.pid}/ns/net")
    box.run("dashboard", service("dashboard", VARIABLES).health, before=within)
    assert box.run("dashboard", ["python", "-c", ASK], before=within).split() == ["401", "200"]
    dashboard.send_signal(signal.SIGINT)
    assert dashboard.wait() == 130
