"""A search through the real PgBouncer: it gives each transaction another session, and may be restarted meanwhile."""

from itertools import count

import pytest
from sqlalchemy import func, select, text

from search.storage.database import create_storage, exclusively
from search.storage.tables import slots
from search.study.slots import Slots
from search.study.study import create_or_resume
from tests import pooler as poolers
from tests.integration import fake_study as fake
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(poolers.PROGRAM is None, reason="no PgBouncer is installed: apt-get install pgbouncer"),
]

_numbers = count()


@pytest.fixture(params=["session", "transaction"])
def pooler(request, postgresql):
    with poolers.running_pooler(postgresql, request.param) as running:
        yield running


@pytest.fixture
def pooled_url(pooler, postgresql):
    """The URL, through the pooler, of a database without our tables."""
    name = f"pooled_{next(_numbers)}"
    with postgresql.database(name):
        yield pooler.url(name)


def closed(study):
    return sum(Slots(study).counts(stage).finished for stage in (1, 2))


def test_a_search_of_two_workers_is_exact_through_a_restart_of_the_pooler(pooled_url, pooler, start, processes):
    study = create_or_resume(create_storage(pooled_url), fake.NAME, fake.spec_of(10, 6))
    both_at_work = processes.Barrier(2)  # a pooler that has never answered is not waited for
    workers = [start(fake.work_slowly, pooled_url, both_at_work) for _ in range(2)]
    until(lambda: closed(study) >= 3, "the end of 3 trials")
    pooler.stop()
    workers[0].join(0.3)  # long enough for both to notice
    pooler.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert fake.finished(study) == sorted(fake.expected(study.spec).items())
    assert fake.running(study) == []
    with study.storage.engine.begin() as tx:
        assert tx.scalar(select(func.sum(slots.c.losses + slots.c.failures))) == 0
    study.storage.engine.dispose()


def test_what_creates_a_study_leaves_no_lock_with_the_pooler(pooled_url):
    storage = create_storage(pooled_url)
    with exclusively(storage):
        pass
    with storage.engine.begin() as tx:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert tx.scalar(text(held)) == 0
    storage.engine.dispose()


def test_no_statement_is_prepared_for_longer_than_its_transaction(pooled_url):
    storage = create_storage(pooled_url)
    for _ in range(12):  # the driver prepares what comes five times
        with storage.engine.begin() as tx:
            tx.execute(select(slots.c.slot)).all()
    with storage.engine.begin() as tx:
        assert tx.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
    storage.engine.dispose()
