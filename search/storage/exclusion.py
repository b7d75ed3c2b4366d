"""One process at a time over all that use a storage, for creating and moving: a wait that ends and says for whom it is.

SQLite's is a lock on a file next to it. PostgreSQL's belongs to a transaction and not to a session: a connection pooler
keeps a session, with all its locks, for the next client.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sqlalchemy import text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError

from search.errors import SearchFailure
from search.storage.address import file_of, is_sqlite, refuse_foreign_file, unusable
from search.storage.engines import own_engine
from search.storage.failures import code_of
from search.storage.retry import retry_connecting

WAIT_SECONDS = 300.0
"""How long to wait for another process: creating a study takes seconds, moving a large one minutes."""

_PAUSE = 0.1
_KEY = 0x61676573  # any number that no other program is likely to lock in PostgreSQL
_LOCK_NOT_AVAILABLE = "55P03"

_TRY = text("SELECT pg_try_advisory_xact_lock(:key)")
_WAIT = text("SELECT pg_advisory_xact_lock(:key)")
# The holder does nothing in its transaction for as long as it creates: a server may end those that are idle.
_SETTLE = text(
    "SELECT set_config('lock_timeout', :milliseconds, true), "
    "set_config('idle_in_transaction_session_timeout', '0', true)"
)
_HOLDER = text(
    "SELECT a.pid, a.usename, coalesce(host(a.client_addr), 'a socket') AS place FROM pg_locks l "
    "JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 "
    "AND l.objid = :key AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

_log = logging.getLogger(__name__)


@contextmanager
def excluding(address: URL) -> Iterator[None]:
    """Let one process at a time into the block, over all that use the storage.

    Raises SearchFailure, which names the holder, if another one does not leave it within `WAIT_SECONDS`, and
    SearchError for a SQLite file that is none.
    """
    with _excluding_by_file(address) if is_sqlite(address) else _excluding_by_transaction(address):
        yield


@contextmanager
def _excluding_by_file(address: URL) -> Iterator[None]:
    refuse_foreign_file(address)
    with _lock_file(address) as lock:
        if not _is_locked(lock):
            _wait_for_file(lock, address)
        _sign(lock)
        try:
            yield
        finally:
            lock.truncate(0)


def _lock_file(address: URL) -> IO[str]:
    try:
        file_of(address).parent.mkdir(parents=True, exist_ok=True)
        return Path(f"{address.database}.lock").open("a+")
    except OSError as error:
        raise unusable(address, error) from error


def _is_locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for_file(lock: IO[str], address: URL) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    _say(address, _signature(lock))
    while not _is_locked(lock):
        if time.monotonic() > deadline:
            holder = _signature(lock)
            raise _waited(address, holder, "end it if it hangs")
        time.sleep(_PAUSE)


def _sign(lock: IO[str]) -> None:
    """Say for others who has the lock; it holds without that, as on a full disk."""
    with suppress(OSError):
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()


def _signature(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read(80) or "another process"


@contextmanager
def _excluding_by_transaction(address: URL) -> Iterator[None]:
    connection = _connection(address)
    try:
        _lock_out(connection, address)
        yield
    finally:
        # The lock is the transaction's: it is given back when that ends, and was when the connection broke.
        with suppress(DBAPIError):
            connection.close()


@retry_connecting
def _connection(address: URL) -> Connection:
    return own_engine(address).connect()


def _lock_out(connection: Connection, address: URL) -> None:
    connection.execute(_SETTLE, {"milliseconds": f"{1000 * WAIT_SECONDS:.0f}"})
    if connection.scalar(_TRY, {"key": _KEY}):
        return
    holder = connection.execute(_HOLDER, {"key": _KEY}).first()
    name = f"process {holder.pid} of the server ({holder.usename} at {holder.place})" if holder else "another process"
    _say(address, name)
    try:
        connection.execute(_WAIT, {"key": _KEY})
    except DBAPIError as error:
        if code_of(error) != _LOCK_NOT_AVAILABLE:
            raise
        remedy = f"if it hangs, end it with: SELECT pg_terminate_backend({holder.pid if holder else 'PID'})"
        raise _waited(address, name, remedy) from error


def _say(address: URL, holder: str) -> None:
    _log.warning(
        "waiting up to %.0f s for %s, which is creating or moving a study in %s", WAIT_SECONDS, holder, address
    )


def _waited(address: URL, holder: str, remedy: str) -> SearchFailure:
    return SearchFailure(
        f"the storage {address} cannot be used: {holder} has been creating or moving a study in it for more than "
        f"{WAIT_SECONDS:.0f} s; {remedy}"
    )
