import time

from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from search.storage import tables
from search.storage.tables import Now


def test_the_clock_of_sqlite_counts_seconds_since_1970(storage):
    with storage.engine.begin() as tx:
        before, now, after = time.time(), tx.scalar(select(Now())), time.time()
    assert before - 0.01 < now < after + 0.01


def test_postgresql_is_asked_for_its_own_clock():
    assert "clock_timestamp()" in str(select(Now()).compile(dialect=postgresql.dialect()))


def test_every_table_has_our_prefix_and_can_be_made_in_postgresql():
    for table in tables.metadata.sorted_tables:
        assert (
            str(CreateTable(table).compile(dialect=postgresql.dialect())).strip().startswith("CREATE TABLE agesearch_")
        )
