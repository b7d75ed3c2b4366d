"""What the tests with many processes share: processes that start at once, and studies on each kind of storage."""

import multiprocessing
import os
from pathlib import Path

import pytest

from tests.integration import fake_study
from tests.integration.storages import KINDS


@pytest.fixture(scope="session")
def processes():
    """A context whose processes start in milliseconds: they are forked from one that has imported everything."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.integration.warm_start"])
    context.Process().start()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
    return context


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


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def new_storage(kind):
    """Make a fresh storage, as often as it is called."""
    with kind.making() as make:
        yield make


@pytest.fixture
def study_of(new_storage):
    """Make a study with as many slots in its stages, and other settings, in a storage of its own."""
    return lambda *stages, **others: fake_study.create_or_resume(
        new_storage(), fake_study.NAME, fake_study.spec_of(*stages, **others)
    )
