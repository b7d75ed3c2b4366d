"""What the tests with many processes share: processes that start at once, and studies on each kind of storage."""

import pytest

from search.storage.database import open_storage, quieten_optuna
from tests.integration import fake_study
from tests.integration.warm_processes import warm_processes


@pytest.fixture(scope="session")
def processes():
    """A context whose processes start in milliseconds."""
    return warm_processes()


@pytest.fixture
def start(processes):
    """Start functions in processes of their own, and leave none of them behind."""
    started = []

    def start_one(target, *args):
        process = processes.Process(target=target, args=args)
        process.start()
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def storage(storage_url):
    quieten_optuna()
    storage = open_storage(storage_url)
    yield storage
    storage.engine.dispose()


@pytest.fixture
def study_of(storage):
    """Make a study with as many slots in its stages, and other settings, in a storage of its own."""
    return lambda *stages, **others: fake_study.create_or_resume(
        storage, fake_study.NAME, fake_study.spec_of(*stages, **others)
    )
