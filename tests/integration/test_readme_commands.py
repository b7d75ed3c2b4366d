"""Every command that the README and the pages next to it show, typed as it stands there, in its order, in one folder.

What is the reader's own (images, a network, a second fit) is made before; what would take hours is made small by
settings of the environment, and no command is altered.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pages import PAGES, ROOT, blocks, typed
from tests.search.tiny import write_tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SETTINGS = {
    "AGESEARCH_NETWORK": "small.toml",
    "AGESEARCH_TRIALS": "2,2",
    "AGESEARCH_IMAGES": "16",
    "AGESEARCH_EPOCHS": "1",
    "AGESEARCH_BATCH_SIZE": "8",
    "AGESEARCH_PRECISION": "float32",
    "AGESEARCH_WORKERS": "1",
    "AGESEARCH_PORT": "0",
}
NETWORK = """
layers = [
  {kind = "conv2d", filters = 4, padding = "same", batch_norm = true},
  {kind = "average_pool", size = 8},
  {kind = "flatten"},
  {kind = "dense", units = 1, activation = "linear"},
]
"""
ELSEWHERE = {
    "agesearch search --data /shared/faces.h5 --on ray --workers 16 --gpus-per-worker 0.5": "a cluster with 8 GPUs",
    "agesearch search … --on ray://HEAD:10001   # from outside of the cluster": "another machine's cluster",
    "agesearch worker --data /shared/faces.h5": "a task of SLURM; without /shared it is run here",
    "make check        # lint, types and tests: what must pass": "the tests themselves",
    "make test-long    # what takes minutes": "the tests themselves",
}
"""Commands that cannot be run here, and what they need."""

REFUSED = {"agesearch dashboard --host 0.0.0.0"}
"""Commands that the pages show because they are refused."""

SERVERS = {"agesearch dashboard"}
POSTGRESQL = ("agesearch init ", "agesearch worker ", "agesearch move ")
"""Commands of the chapter whose storage is a PostgreSQL server."""

OWN = re.compile(r"train\.py|--study train|^agesearch dashboard +#|^agesearch fit best\.toml --out runs/fit\b")
"""Commands about the program that the README begins with, which are typed in a folder of its own."""

SPACE = "[space]\nrate = { log = [1e-3, 1.0] }\ndepth = { integer = [1, 6] }\n"
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)

COMMANDS = [line for page, line in typed("agesearch ") + typed("make ") if page != "program.md"]
"""But for those about programs, which tests/test_program_page.py types."""


def words(line):
    return " ".join(line.partition("#")[0].split())


FIRST = {words(line): line for line in reversed(COMMANDS)}  # of lines that differ in a comment, the README's
ONCE = {words(line): FIRST[words(line)] for line in COMMANDS if line.startswith("agesearch ")}
RUN = [line for line in ONCE.values() if line not in ELSEWHERE]

SAID = []
"""What the commands about the README's program have printed."""


def test_what_cannot_be_run_here_is_on_the_pages():
    assert ELSEWHERE.keys() | REFUSED | SERVERS <= set(COMMANDS)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A reader's folder: an archive of faces, an image, a table of other images, a network; and a dataset."""
    path = tmp_path_factory.mktemp("reader")
    with zipfile.ZipFile(path / "faces.zip", "w") as archive:
        for split, count in (("training_set", 24), ("validation_set", 8), ("test_set", 8)):
            for number in range(count):
                draw(path / "someone.jpg", number, (91, 91))
                archive.write(path / "someone.jpg", f"faces/{split}/{10 + number}_2017{count:04d}{number:09d}.jpg")
    (path / "parts").mkdir()
    for number in range(30):
        draw(path / f"parts/{number}.png", number, (48, 64, 3))
    rows = [f"parts/{number}.png,{number / 10}" for number in range(30)]
    (path / "labels.csv").write_text("\n".join(["path,value", *rows]))
    write_tiny(path / "tiny.h5", (40, 6, 4))
    for name in ("small.toml", "network.toml"):
        (path / name).write_text(NETWORK)
    return path


def draw(path, seed, shape):
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8)).save(path)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder with the program that the README begins with, and the space that `check` prints."""
    path = tmp_path_factory.mktemp("own")
    (path / "train.py").write_text(PYTHON.findall((ROOT / "README.md").read_text())[0])
    (path / "agesearch.toml").write_text(SPACE)
    return path


@pytest.fixture(scope="module")
def server(postgresql):
    """A PostgreSQL server with two databases that have nothing in them yet."""
    with postgresql.database("searched"), postgresql.database("moved"):
        yield postgresql


class Reader:
    """Somebody who types commands into a shell."""

    def __init__(self, home, settings, always=SETTINGS):
        ours = {name: text for name, text in os.environ.items() if not name.startswith("AGESEARCH_")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.home, self.environment = home, {**ours, "PATH": path, **always, **settings}

    def start(self, line):
        return subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self.home,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def type(self, line, code=0):
        """Run a command to its end; returns what it said."""
        with self.start(line) as process:
            out, err = process.communicate()
        assert process.returncode == code, f"{line}\n{out}\n{err}"
        assert "Traceback" not in err
        return out + err


@pytest.fixture
def reader(request, home):
    line = request.node.callspec.params["line"]
    database = "moved" if "move" in line else "searched"
    if OWN.search(line):
        return Reader(request.getfixturevalue("own"), {}, {"AGESEARCH_WORKERS": "1"})
    if line.startswith(POSTGRESQL):
        return Reader(home, {"AGESEARCH_STORAGE": request.getfixturevalue("server").url(database)})
    return Reader(home, {})


def prepare(line, reader):
    """Do what a reader must have done who has come to this line."""
    if "runs/other" in line and not (reader.home / "runs/other").exists():
        shutil.copytree(reader.home / "runs/fit", reader.home / "runs/other")
    if line.startswith("agesearch compare study-a study-b"):
        for study in ("study-a", "study-b"):
            reader.type(f"agesearch search --data faces.h5 --study {study} --finalists 0")


@pytest.mark.parametrize("line", RUN, ids=words)
def test_a_command_of_the_pages_does_what_it_says(line, reader):
    if words(line) in SERVERS:
        serve(line, reader)
    elif line in REFUSED:
        assert any(reader.type(line, code=2).strip() in page.read_text() for page in PAGES)
    else:
        prepare(line, reader)
        said = reader.type(line)
        for name in re.findall(r"--(?:out|figure) (\S+)", line):
            assert (reader.home / name).exists(), said
        SAID.extend(rounded(said).splitlines() if OWN.search(line) else ())


def test_the_tour_of_the_readme_shows_what_its_commands_print():
    """After them; without the last digits, which depend on the processor."""
    tour = (ROOT / "README.md").read_text().partition("## The tour")[2].partition("### Images")[0]
    shown = [line for block in blocks(tour) for line in rounded(block).splitlines() if line]
    assert len(shown) > 5
    assert set(shown) <= set(SAID)


def rounded(text):
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.4g}", text)


def test_the_python_of_the_pages_finds_an_ordinary_study_and_an_ordinary_network(home):
    (program,) = PYTHON.findall((ROOT / "docs/fit.md").read_text())
    ran = subprocess.run([sys.executable, "-P", "-"], cwd=home, input=program, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "learning_rate" in ran.stdout
    assert re.search(r"\[\[\d", ran.stdout)


def serve(line, reader):
    with reader.start(line) as server:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        with urllib.request.urlopen(f"{address}healthz") as answer:  # noqa: S310  (the address is ours)
            assert answer.status == 200
        server.send_signal(signal.SIGINT)
        assert server.wait() == 130


def test_make_run_goes_the_whole_way(home):
    """In the environment that the tests are run in, which `make` has made."""
    folder = home / "make run"
    settings = {
        "AGESEARCH_OUT": str(folder),
        "AGESEARCH_STORAGE": f"sqlite:///{folder}/study.db",
        "AGESEARCH_NETWORK": str(home / "small.toml"),
    }
    made = f"{sys.prefix}/installed"
    said = Reader(ROOT, settings).type(f"make --old-file {made} VENV={sys.prefix} run")
    assert "stage 2: 2/2 finished" in said
    assert "test MAE" in said
    for name in ("best.toml", "fit/model.keras", "fit/learning_curve.png"):
        assert (folder / name).is_file()
