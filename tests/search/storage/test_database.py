import sqlite3
import sys
import threading

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from search.errors import SearchError, SearchFailure
from search.storage import tables
from search.storage.database import create_storage, exclusively, open_storage
from search.storage.failures import storage_errors
from tests.waiting import until


def test_opening_a_missing_file_says_how_to_start_and_creates_nothing(tmp_path):
    with pytest.raises(SearchError, match=r"no study storage at sqlite:.*, in the folder /.*; start one with"):
        open_storage(f"sqlite:///{tmp_path}/study.db")
    assert list(tmp_path.iterdir()) == []


def test_creating_makes_the_directory_and_creating_again_keeps_what_is_there(tmp_path):
    url = f"sqlite:///{tmp_path}/runs/{{new}}/study.db"  # Optuna runs a URL through str.format
    for _ in range(2):
        created = create_storage(url)
        created.engine.dispose()
    assert (tmp_path / "runs" / "{new}" / "study.db").is_file()
    open_storage(url).engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "study.db").write_text("name,age\n" * 200)
    for use in (open_storage, create_storage):
        with pytest.raises(SearchError, match="cannot be used: file is not a database"):
            use(f"sqlite:///{tmp_path}/study.db")


def test_a_database_that_was_cut_short_is_refused_as_bad_input(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    create_storage(url).engine.dispose()
    content = (tmp_path / "study.db").read_bytes()
    (tmp_path / "study.db").write_bytes(content[: len(content) // 2])
    with pytest.raises(SearchError, match="cannot be used: database disk image is malformed") as raised:
        open_storage(url)
    assert not isinstance(raised.value, SearchFailure)


def test_a_database_of_something_else_is_not_opened_and_not_changed(tmp_path):
    other = sqlite3.connect(tmp_path / "study.db")
    other.execute("create table music (title text)")
    other.commit()
    with pytest.raises(SearchError, match="holds no study storage"):
        open_storage(f"sqlite:///{tmp_path}/study.db")
    assert other.execute("select name from sqlite_master").fetchall() == [("music",)]
    other.close()


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SearchError, match=r"cannot be used: .*file"):
        create_storage(f"sqlite:///{tmp_path}/file/study.db")


def test_a_name_too_long_for_a_file_is_refused(tmp_path):
    with pytest.raises(SearchError, match="cannot be used: File name too long"):
        open_storage(f"sqlite:///{tmp_path}/{'x' * 300}.db")


@pytest.mark.parametrize("version", [1, 99])
def test_tables_of_another_version_are_refused_with_the_way_out(version, storage):
    with storage.engine.begin() as tx:
        tx.execute(update(tables.schema).values(version=version))
    for use in (open_storage, create_storage):
        with pytest.raises(
            SearchError,
            match=f"tables of version {version}, this program needs 2; use the version of agesearch that made it",
        ):
            use(storage.url)


def test_tables_of_another_optuna_are_refused(storage):
    with storage.engine.begin() as tx:
        tx.execute(text("update alembic_version set version_num = 'v9.9.9'"))
    with pytest.raises(SearchError, match="made by another version of Optuna"):
        open_storage(storage.url)


def test_a_missing_driver_is_named_without_the_password(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SearchError, match=r"me:\*\*\*@host/db needs a driver.*install psycopg") as refusal:
        open_storage("postgresql+psycopg://me:secret@host/db")
    assert "secret" not in str(refusal.value)


def test_what_the_database_raises_becomes_one_sentence(storage):
    sentence = r"the storage (sqlite|postgresql).* cannot be used: (no such table: gone|relation .gone. does not .*)$"
    with pytest.raises(SearchFailure, match=sentence), storage_errors(storage), storage.engine.begin() as tx:
        tx.execute(text("select 1 from gone"))


@pytest.mark.parametrize(
    ("said", "is_given"),
    [
        ('connection failed: FATAL:  password authentication failed for user "a"', True),
        ("fe_sendauth: no password supplied", True),
        ('FATAL:  database "ages" does not exist', True),
        ("unable to open database file", True),
        ("attempt to write a readonly database", True),
        ("permission denied for schema public", True),
        ('invalid connection option "foo"', True),
        ("database is locked", False),
        ("database or disk is full", False),
        ("connection refused", False),
        ('relation "slots" does not exist', False),
    ],
)
def test_what_was_given_is_told_from_what_failed(said, is_given, storage):
    with pytest.raises(SearchError, match="cannot be used") as raised, storage_errors(storage):
        raise OperationalError(None, None, Exception(said)) from Exception(said)
    assert isinstance(raised.value, SearchFailure) is not is_given


@pytest.mark.parametrize("error", [ImportError("libtorch.so is missing"), OSError(28, "No space left", "worker-1.log")])
def test_what_is_not_the_databases_is_not_called_so(error, storage):
    with pytest.raises(type(error)) as raised, exclusively(storage), storage_errors(storage):
        raise error
    assert raised.value is error


def test_only_one_at_a_time_is_let_in_and_who_waits_says_for_whom(storage, caplog):
    inside = []

    def enter():
        with exclusively(storage):
            inside.append("second")

    with exclusively(storage):
        thread = threading.Thread(target=enter)
        thread.start()
        until(lambda: "for process" in caplog.text, "the second at the door")
        inside.append("first")
    thread.join()
    assert inside == ["first", "second"]


def test_the_wait_for_another_process_has_an_end_and_names_it(storage, monkeypatch):
    monkeypatch.setattr("search.storage.exclusion.WAIT_SECONDS", 0.2)
    with exclusively(storage), pytest.raises(SearchFailure, match=r"process \d+.* for more than"), exclusively(storage):
        pass


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_the_lock_is_the_transactions_and_not_the_sessions(storage):
    with exclusively(storage), storage.engine.begin() as tx:
        sessions = "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) "
        sessions += "WHERE l.locktype = 'advisory' AND a.state = 'idle in transaction'"
        assert tx.scalar(text(sessions)) == 1


def test_another_kind_of_file_gets_no_lock_file_next_to_it(tmp_path):
    (tmp_path / "faces.h5").write_bytes(b"\x89HDF\r\n" * 100)
    with pytest.raises(SearchError, match="not a database"):
        create_storage(f"sqlite:///{tmp_path}/faces.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["faces.h5"]


def test_a_storage_prints_its_address_and_no_password(storage):
    assert str(storage) == storage.url
    assert repr(storage) == "Storage()"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("permission denied for schema public", "let its user own the database, or grant it USAGE and CREATE"),
        ("FATAL:  too many connections for role", "raise the server's max_connections or the user's CONNECTION LIMIT"),
        ("database disk image is malformed", "make a copy, then restore a backup"),
    ],
)
def test_what_can_be_done_about_it_is_said(said, advice, storage):
    with pytest.raises(SearchError, match=f"cannot be used: {said}; {advice}"), storage_errors(storage):
        raise OperationalError(None, None, Exception(said)) from Exception(said)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_lock_whose_connection_is_lost_ends_nothing_that_is_done(storage):
    with exclusively(storage), storage.engine.begin() as tx:
        others = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        assert tx.execute(text(others)).all() == [(True,)]
