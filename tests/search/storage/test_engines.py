import os
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import make_url, select, text, update

from search.errors import SearchError, SearchFailure
from search.storage import tables
from search.storage.database import create_storage, open_storage
from search.storage.engines import engine_settings, repeatable_read
from search.study.study import create_or_resume, load_study
from tests.integration.fake_study import expected, finished, spec_of
from tests.search.tiny import work_off

only_sqlite = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)


@only_sqlite
def test_every_transaction_takes_the_write_lock_before_it_reads(storage):
    other = sqlite3.connect(storage.engine.url.database, timeout=0, isolation_level=None)
    with storage.engine.begin() as tx:
        tx.execute(select(tables.schema.c.version))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("begin immediate")
    other.execute("begin immediate")
    other.close()


@only_sqlite
def test_optunas_own_transactions_take_the_write_lock_too(storage):
    statements = []
    with storage.engine.connect() as connection:
        connection.connection.dbapi_connection.set_trace_callback(statements.append)
    storage.rdb.get_all_studies()
    assert next(each for each in statements if not each.startswith("PRAGMA")) == "BEGIN IMMEDIATE"


@only_sqlite
def test_every_connection_is_durable_waits_for_the_lock_and_keeps_no_write_ahead_log(storage):
    with storage.engine.connect() as one, storage.engine.execution_options().connect() as again:
        del again
        for pragma, value in (("synchronous", 2), ("journal_mode", "delete"), ("busy_timeout", 120_000)):
            assert one.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


@only_sqlite
def test_who_opens_a_storage_waits_for_its_lock_as_long_as_everybody_else(storage, monkeypatch):
    monkeypatch.setattr("search.storage.engines._LOCK_SECONDS", 0.2)  # the driver's own patience is 5 seconds
    with closing(sqlite3.connect(storage.engine.url.database, isolation_level=None)) as other:
        other.execute("begin exclusive")
        began = time.monotonic()
        with pytest.raises(SearchFailure, match="locked"):
            open_storage(storage.url)
        assert time.monotonic() - began < 4


@pytest.fixture
def interrupt():
    """Have a signal do what Ctrl-C does, and send it in a moment from another thread."""
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    yield timer.start
    timer.cancel()
    signal.signal(signal.SIGUSR1, before)


@only_sqlite
@pytest.mark.timeout(30)
@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_ctrl_c_is_heard_while_another_process_has_the_lock(lock, storage, interrupt):
    with closing(sqlite3.connect(storage.engine.url.database, isolation_level=None)) as somebody:
        somebody.execute(f"BEGIN {lock}")
        interrupt()
        with pytest.raises(KeyboardInterrupt), storage.engine.begin():
            pass
    with storage.engine.begin() as tx:  # the connection is as good as before
        assert tx.scalar(select(tables.schema.c.version)) == tables.SCHEMA_VERSION


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_floats_come_back_exact_from_a_database_that_is_set_to_round_them(storage):
    with storage.engine.begin() as tx:
        database = tx.scalar(text("SELECT current_database()"))
        tx.execute(text(f'ALTER DATABASE "{database}" SET extra_float_digits = 0'))
    rounding = open_storage(storage.url)
    study = create_or_resume(rounding, "ages", spec_of(3))
    work_off(study)
    with rounding.engine.begin() as tx:
        assert tx.scalar(text("SELECT CAST(0.1 AS double precision) + CAST(0.2 AS double precision)")) == 0.1 + 0.2
    assert finished(study) == sorted(expected(study.spec).items())
    rounding.engine.dispose()


@pytest.mark.usefixtures("quiet")
def test_a_database_without_an_encoding_is_as_good_as_any(postgresql):
    with postgresql.database("bytes", "template0", encoding="SQL_ASCII") as url:
        study = create_or_resume(create_storage(url), "年齢", spec_of(2))
        work_off(study)
        assert finished(load_study(open_storage(url), "年齢")) == sorted(expected(study.spec).items())


@pytest.mark.usefixtures("quiet")
def test_a_name_that_the_databases_encoding_lacks_is_refused_with_the_way_out(postgresql):
    with postgresql.database("latin", "template0", encoding="LATIN1") as url:
        storage = create_storage(url)
        with pytest.raises(SearchError, match=r"no equivalent in encoding.*; use a database .* 'UTF8'") as refusal:
            create_or_resume(storage, "年齢", spec_of(2))
        assert not isinstance(refusal.value, SearchFailure)


def test_the_encoding_that_a_url_asks_for_is_left_to_it():
    address = make_url("postgresql+psycopg://host/db?client_encoding=latin1")
    assert "client_encoding" not in engine_settings(address)["connect_args"]


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "option",
    ["sslmode=bogus", "connect_timeout=x", "port=x", "port=99999999", "options=-cTimeZone=bogus", "service=bogus"],
)
def test_an_option_that_is_none_is_refused_as_bad_input(option, storage_url):
    with pytest.raises(SearchError, match="cannot be used") as refusal:
        open_storage(f"{storage_url}&{option}")
    assert not isinstance(refusal.value, SearchFailure)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_frozen_transaction_sees_nothing_of_what_comes_after_it(storage):
    with repeatable_read(storage.engine) as tx:
        assert tx.scalars(select(tables.schema.c.version)).all() == [tables.SCHEMA_VERSION]
        with storage.engine.begin() as other:
            other.execute(update(tables.schema).values(version=99))
        assert tx.scalars(select(tables.schema.c.version)).all() == [tables.SCHEMA_VERSION]
