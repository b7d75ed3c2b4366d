from threading import Event

import pytest

from tests.integration import fake_study


@pytest.fixture
def storage():
    with fake_study.in_memory() as folder:
        storage = fake_study.new_storage(folder)
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
