"""What the tests with many processes share: processes that start at once, and end with their test."""

import pytest

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
