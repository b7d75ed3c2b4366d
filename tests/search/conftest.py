from threading import Event

import pytest


@pytest.fixture
def no_stop():
    return Event()


@pytest.fixture
def launcher(monkeypatch):
    """Let searches have workers in this process, which take no time."""
    from tests.search.launching import FakeLauncher

    monkeypatch.setattr("search.tasks.working.Launcher", FakeLauncher)
    monkeypatch.setattr("search.run.searching.WATCH_SECONDS", 0.001)
    monkeypatch.setattr(FakeLauncher, "last", None)
    return FakeLauncher


@pytest.fixture
def coarse(monkeypatch):
    """Draw a figure in a tenth of the time."""
    monkeypatch.setattr("model.figures.plotting.DOTS_AN_INCH", 50)


@pytest.fixture
def quiet():
    """Let Optuna say nothing of the studies it makes."""
    from search.storage.database import quieten_optuna

    quieten_optuna()
