from threading import Event

import pytest

from search.storage.database import open_storage, quieten_optuna
from tests.integration import fake_study


@pytest.fixture
def storage(storage_url):
    """A storage without studies, of each kind in turn."""
    quieten_optuna()
    storage = open_storage(storage_url)
    yield storage
    storage.engine.dispose()


@pytest.fixture
def study_of(storage):
    """Make a study with as many slots in its stages, and other settings, in a storage of its own."""

    def create(*stages, **settings):
        return fake_study.create_or_resume(storage, fake_study.NAME, fake_study.spec_of(*stages, **settings))

    return create


@pytest.fixture
def no_stop():
    return Event()
