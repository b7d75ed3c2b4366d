"""How connections behave: SQLite's take the write lock first and write durably; PostgreSQL's notice a dead server."""

import random
import sqlite3
import time
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from search.errors import SearchError
from search.storage.address import is_sqlite

_LOCK_SECONDS = 120.0  # SQLite does not queue, so that of many waiting the last may wait long
_PAUSE = 0.003
_CONNECTION = {
    "application_name": "agesearch",
    "client_encoding": "utf8",  # whatever the database's is, and with none (SQL_ASCII) texts would come as bytes
    "connect_timeout": 10,
    # A server that vanishes without a word is noticed within a minute, not within hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    # A connection pooler gives every transaction another session: what one has prepared, the next does not have.
    "prepare_threshold": None,
}

# For each transaction anew, as a pooler's next transaction has another session: floats come back as they were written,
# and no lock is waited for without an end.
_FOR_A_TRANSACTION = "SELECT set_config('extra_float_digits', '3', true), set_config('lock_timeout', '60s', true)"


def engine_settings(address: URL) -> dict[str, Any]:
    """Return what Optuna is to make its engine with."""
    if is_sqlite(address):
        # The driver's own habit of opening transactions late is off; `write_durably` opens them.
        return {"connect_args": {"timeout": _LOCK_SECONDS, "isolation_level": None}}
    return {
        # What Optuna and the slots rely on, whatever the server's default is: a row that was waited for is read anew.
        "isolation_level": "READ COMMITTED",
        "pool_pre_ping": True,
        "pool_size": 1,  # servers allow a hundred connections or so; others of a process come and go
        "connect_args": _connection(address),
    }


def _connection(address: URL) -> dict[str, Any]:
    """Return how to connect, but for what the URL itself says."""
    ours = {} if is_sqlite(address) else _CONNECTION
    return {key: value for key, value in ours.items() if key not in address.query}


def own_engine(address: URL) -> Engine:
    """Return an engine of our own, whose connections are closed at once; raises SearchError without its driver."""
    try:
        engine = create_engine(address, poolclass=NullPool, connect_args=_connection(address))
    except ImportError as error:
        raise SearchError(
            f"the storage {address} needs a driver that is not installed ({error}): install psycopg"
        ) from error
    if is_sqlite(address):
        event.listen(engine, "connect", _wait)
    return engine


def write_durably(engine: Engine) -> None:
    """Make every transaction of a SQLite engine take the write lock first and be on the disk when it ends.

    A transaction that reads before it locks may decide on what another process is just changing, and then fails
    to lock at once instead of waiting (SQLite, "Transactions", section 2.2). Optuna opens a connection of its own
    before the engine can be changed, which is why the pool is emptied.
    """
    event.listen(engine, "connect", _settle)
    event.listen(engine, "begin", _lock)
    engine.dispose()


def make_read_only(engine: Engine) -> None:
    """Make every statement of a SQLite engine a transaction of its own, and one that writes an error.

    A transaction would hold the read lock to its end, and a writer waits for that with its commit.
    """
    event.listen(engine, "connect", _only_read)
    engine.dispose()


def settle_transactions(engine: Engine) -> None:
    """Make a PostgreSQL engine's transactions exact, and every wait for a lock end, whatever is set on the server.

    Floats come back as they were written: studies and leases are known again by their times, to the last bit. A lock
    that others hold is waited for a minute.
    """
    event.listen(engine, "begin", _settle_transaction)
    engine.dispose()


def repeatable_read(engine: Engine) -> AbstractContextManager[Connection]:
    """Return a transaction that sees one state of the database throughout, of an engine that may write.

    In PostgreSQL a change fails where another transaction has changed the same row meanwhile.
    """
    if engine.dialect.name == "sqlite":  # whose transactions have the database to themselves
        return engine.begin()
    return engine.execution_options(isolation_level="REPEATABLE READ").begin()


def unlocked(engine: Engine) -> AbstractContextManager[Connection]:
    """Return a connection for reading alone, of an engine that may write: it keeps nobody waiting, for all it reads.

    Each statement sees a state of its own.
    """
    if engine.dialect.name == "sqlite":  # whose transactions have the database to themselves
        return own_engine(engine.url).connect()
    return engine.begin()


def _settle_transaction(connection: Connection) -> None:
    connection.exec_driver_sql(_FOR_A_TRANSACTION)


def _only_read(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _wait(connection: Any, _record: object) -> None:
    _in_turns(connection, "SELECT name FROM sqlite_master")  # as whatever is read first would, but not in turns


def _settle(connection: Any, _record: object) -> None:
    _in_turns(connection, "PRAGMA journal_mode=DELETE")  # the write-ahead log can corrupt before SQLite 3.51.3
    connection.execute("PRAGMA synchronous=FULL")


def _lock(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        _in_turns(driver, "BEGIN IMMEDIATE")
    except sqlite3.Error as error:  # which SQLAlchemy does not make its own here
        raise DatabaseError("BEGIN IMMEDIATE", None, error) from error


def _in_turns(driver: sqlite3.Connection, statement: str) -> None:
    """Run a statement that needs a lock, and wait for it by trying again every few milliseconds.

    SQLite itself waits in C, deaf to Ctrl-C, and longer each time, up to 100 ms, in which the lock lies idle: of eight
    workers with trials of half a second one then waits for a second now and again.
    """
    deadline = time.monotonic() + _LOCK_SECONDS
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while not _came_through(driver, statement, time.monotonic() < deadline):
            time.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311  (so that not all try at once)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {1000 * _LOCK_SECONDS:.0f}")


def _came_through(driver: sqlite3.Connection, statement: str, again: bool) -> bool:
    """Run a statement, or return False where the database is locked and there is time to try it `again`."""
    try:
        driver.execute(statement)
    except sqlite3.OperationalError as error:
        if again and "locked" in str(error):
            return False
        raise
    return True
