"""What tests share wherever they are: commands, datasets, and studies on each kind of storage."""

import os
import signal
import sys
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

from tests import postgres

TOLD = "told"

# How long an example takes is the machine's business: another program beside the tests is no fault of theirs.
examples.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("patient")


def pytest_configure():
    # Where a shell runs the tests in the background, Ctrl-C is ignored, and so it would be by all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    """Print below the tests what they had to tell, whichever process ran them."""
    calls = [
        each for reports in terminalreporter.stats.values() for each in reports if getattr(each, "when", "") == "call"
    ]
    told = [text for each in calls for name, text in each.user_properties if name == TOLD]
    if told:
        terminalreporter.section("reported by tests")
        for text in told:
            terminalreporter.write_line(text)


@pytest.fixture
def tell(record_property):
    """Say what was measured or survived, for whoever reads the log of a run."""
    return lambda text: record_property(TOLD, text)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, its answer, and what it said on stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def agesearch(capsys, monkeypatch, tmp_path):
    """Run a command in this process, in a folder of its own and without any setting of the environment."""
    from search.__main__ import main

    for name in [name for name in os.environ if name.startswith("AGESEARCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    # What Rich wraps its help to.
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["agesearch", *map(str, arguments)])
        terminate = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, terminate)
        captured = capsys.readouterr()
        return Ended(ended.value.code or 0, captured.out, captured.err)

    return run


def sentence_of(ended, code):
    """The one line on stderr of a command that must have ended with an exit code and no answer."""
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("agesearch: ")
    assert ended.err.count("\n") == 1
    return ended.err.removeprefix("agesearch: ").rstrip("\n")


@pytest.fixture
def refused(agesearch):
    """Run a command that must be refused: exit code 2 and one line on stderr, which is returned."""
    return lambda *arguments: sentence_of(agesearch(*arguments), 2)


@pytest.fixture
def failed(agesearch):
    """Run a command that must fail: exit code 1 and one line on stderr, which is returned."""
    return lambda *arguments: sentence_of(agesearch(*arguments), 1)


@pytest.fixture
def faces(tmp_path):
    """A tiny dataset, called faces.h5 in the folder that commands run in."""
    from tests.search.tiny import write_tiny

    write_tiny(tmp_path / "faces.h5")
    return tmp_path / "faces.h5"


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server with a database `empty` that has the tables and no study, for templates."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed: pip install -e '.[postgres]'")
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql, or pip install pgserver")
    from search.storage.database import create_storage

    with postgres.running_server() as server:
        server.execute("CREATE DATABASE empty")
        create_storage(server.url("empty")).engine.dispose()
        yield server


_databases = count()


@pytest.fixture
def sqlite_url():
    """The URL of a storage without studies in SQLite."""
    from tests.integration import fake_study

    with fake_study.in_memory() as folder:
        yield fake_study.empty_file(folder)


@pytest.fixture
def postgresql_url(postgresql):
    """The same in PostgreSQL."""
    with postgresql.database(f"test{next(_databases)}", "empty") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def storage_url(request):
    """The URL of a storage without studies, of each kind in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def storage(storage_url):
    """A storage without studies, of each kind in turn."""
    from search.storage.database import open_storage, quieten_optuna

    quieten_optuna()
    storage = open_storage(storage_url)
    yield storage
    storage.engine.dispose()


@pytest.fixture
def study_of(storage):
    """Make a study with as many slots in its stages, and other settings, in a storage of its own."""
    from tests.integration import fake_study

    def create(*stages, **settings):
        return fake_study.create_or_resume(storage, fake_study.NAME, fake_study.spec_of(*stages, **settings))

    return create
