"""The rules between the rooms: who may import whom, and that importing does nothing but define things."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("data", "model", "search")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
FORBIDDEN = {
    "data": {"model", "search", "tensorflow", "keras", "optuna", "optuna_dashboard", "sqlalchemy", "typer"},
    "model": {"data", "search", "optuna", "optuna_dashboard", "sqlalchemy", "typer", "h5py"},
    "search": {"tensorflow", "keras", "h5py", "PIL"},
}
"""What the files of each room may not import, not even within a function or for types alone."""

FLOORS = {
    "model": ("network", "engine", "results", "figures", "training"),
    "search": ("space", "settings", "storage", "study", "results", "run", "dashboard", "tasks", "report", "cli"),
}
"""The rooms within model/ and search/, the lowest first."""

CORE = ("space", "storage", "study", "results", "run")
"""Those that know nothing of what a trial trains."""

INNER = {
    room: [path for path in FILES if path.is_relative_to(ROOT / room) and len(path.relative_to(ROOT).parts) > 2]
    for room in FLOORS
}

MEETING_PLACES = {"search/tasks/images/objective.py", "search/tasks/images/fitting.py"}
"""Where arrays of data/ become examples of model/: a trial's place, and the final fit's."""


RUN_TIME = {"__import__", "import_module", "exec", "eval"}
"""What imports by a name that no reader sees."""

OPTIONAL = ("search/tasks/program/client/agesearch.py", "import_module")
"""Of pandas, where a user has it and asks for a data frame."""


@cache
def nodes_of(path):
    return tuple(ast.walk(ast.parse(path.read_text())))


def imported(path):
    """Return the top-level packages that a file imports anywhere in it."""
    names = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module.partition(".")[0])
    return names


def called(path):
    """Return the names of what a file calls."""
    calls = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]
    return {getattr(call, "id", getattr(call, "attr", "")) for call in calls}


def name_of(path):
    return str(path.relative_to(ROOT))


def room_of(path):
    return path.relative_to(ROOT).parts[0]


def test_a_file_imports_only_what_its_room_may():
    found = {(name_of(path), name) for path in FILES for name in imported(path) & FORBIDDEN[room_of(path)]}
    assert found == set()


def test_the_client_of_programs_imports_the_standard_library_alone():
    assert imported(ROOT / "agesearch.py") <= sys.stdlib_module_names


def test_a_file_imports_nothing_by_a_name_made_at_run_time():
    found = {(name_of(path), name) for path in FILES for name in called(path) & RUN_TIME}
    assert found == {OPTIONAL}


def test_images_become_examples_in_two_places_alone():
    makers = {name_of(path) for path in FILES if "import Examples" in path.read_text()}
    assert {name for name in makers if name.startswith("search/")} == MEETING_PLACES


def test_one_room_alone_knows_what_optuna_keeps_private():
    found = set()
    for path in FILES:
        modules = {node.module for node in nodes_of(path) if isinstance(node, ast.ImportFrom)}
        if any("._" in module for module in modules if module.startswith("optuna")):
            found.add(path.parent.name)
        if re.search(r"(?<!self)\._(trial|study)_id\b", path.read_text()):
            found.add(path.parent.name)
    assert found == {"storage"}


def floor_of(path):
    return path.relative_to(ROOT).parts[1]


@pytest.mark.parametrize("room", FLOORS)
def test_every_room_within_a_room_has_its_floor(room):
    assert {floor_of(path) for path in INNER[room]} == set(FLOORS[room])


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_within_a_room_imports_from_itself_and_those_below_it_alone(room):
    floors, found = FLOORS[room], set()
    for path in INNER[room]:
        modules = {node.module for node in nodes_of(path) if isinstance(node, ast.ImportFrom)}
        used = {module.split(".")[1] for module in modules if module.startswith(f"{room}.")} & set(floors)
        found |= {(name_of(path), floor) for floor in used - set(floors[: floors.index(floor_of(path)) + 1])}
    assert found == set()


def test_the_core_imports_neither_model_nor_data():
    core = [path for path in INNER["search"] if floor_of(path) in CORE]
    assert {(name_of(path), room) for path in core for room in imported(path) & {"model", "data"}} == set()


WORDS = re.compile(r"image|epoch|recipe|precision", re.IGNORECASE)
SQL = re.compile(r"EXTRACT\(EPOCH .* DOUBLE PRECISION|disk image is malformed")
"""What databases call so."""


def test_the_core_names_nothing_of_what_a_trial_trains():
    core = [path for path in INNER["search"] if floor_of(path) in CORE]
    lines = ((name_of(path), line) for path in core for line in path.read_text().splitlines())
    assert {(name, line) for name, line in lines if WORDS.search(line) and not SQL.search(line)} == set()


def test_every_folder_of_code_is_a_package_so_that_a_wheel_has_it():
    lacking = {name_of(path.parent) for path in FILES if not (path.parent / "__init__.py").exists()}
    assert lacking == {"search/tasks/program/client"}  # data of its package


def test_tests_have_no_package_that_shadows_a_room():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


HEAVY = {"search.tasks.images.objective", "search.tasks.images.fitting", "search.tasks.images.fit_display"}
"""Modules of search/ that load TensorFlow, and are imported where there is a network to train."""

IMPORT = """
import contextlib, importlib, io, logging, os, platform, random, signal, socket, sqlite3, subprocess, sys, threading

def refuse(*_, **__):
    raise AssertionError("an import opens a connection, starts a process or sets a seed")

heavy, *modules = sys.argv[1:]
platform.processor()  # which starts a process, once; SQLAlchemy asks for it
with contextlib.suppress(ImportError):
    import sklearn  # which sets variables for its OpenMP; Optuna's importance asks for it where it is installed
if heavy == "heavy":
    import keras, tensorflow
import numpy.random
socket.socket.connect = socket.socket.bind = refuse
sqlite3.connect = sqlite3.dbapi2.connect = subprocess.Popen.__init__ = os.fork = refuse
random.seed = numpy.random.seed = refuse
handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
before = dict(os.environ), os.listdir(), threading.active_count(), list(logging.getLogger().handlers)
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    for name in modules:
        importlib.import_module(name)
        assert heavy == "heavy" or not {"tensorflow", "keras"} & sys.modules.keys(), name
        ours = [logging.getLogger(each) for each in ("data", "model", "search", name)]
        assert not any(one.handlers or one.level for one in ours), name
        assert {name: signal.getsignal(name) for name in handlers} == handlers, name
        assert before == (
            dict(os.environ), os.listdir(), threading.active_count(), logging.getLogger().handlers
        ), name
assert said.getvalue() == "", said.getvalue()
"""


def import_alone(kind, modules, folder):
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-W", "error", "-c", IMPORT, kind, *modules]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def modules_of(*rooms):
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in FILES]
    return [name.removesuffix(".__init__") for name in names if name.partition(".")[0] in rooms]


def test_importing_a_module_of_data_or_search_does_nothing_and_loads_no_tensorflow(tmp_path):
    light = [name for name in modules_of("data", "search") if name not in HEAVY]
    ended = import_alone("light", light, tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_importing_a_module_that_trains_does_nothing_but_load_tensorflow(tmp_path):
    ended = import_alone("heavy", [*modules_of("model"), *sorted(HEAVY)], tmp_path)
    assert ended.returncode == 0, ended.stderr
