"""Opening and creating the database that holds Optuna's tables and ours, safely for many workers."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import finalize

import optuna
from optuna.storages import RDBStorage
from sqlalchemy import insert, inspect, make_url, select
from sqlalchemy.engine import URL, Engine

from search.errors import SearchError
from search.storage import tables
from search.storage.address import file_of, is_sqlite, parse_address, unusable
from search.storage.engines import engine_settings, make_read_only, own_engine, settle_transactions, write_durably
from search.storage.exclusion import excluding
from search.storage.failures import storage_errors
from search.storage.reading import QuickReading
from search.storage.retry import Reconnection, retry_connecting


@dataclass(frozen=True, slots=True)
class Storage:
    """An open database: Optuna's view of it and the engine that both sides share.

    `url` holds the password, for handing to a worker; print the storage itself, which hides it. `reconnection` is with
    a server that goes away.
    """

    url: str = field(repr=False)
    rdb: RDBStorage = field(repr=False)
    engine: Engine = field(repr=False)
    reconnection: Reconnection = field(default_factory=Reconnection, repr=False)

    def __str__(self) -> str:
        return make_url(self.url).render_as_string(hide_password=True)


def open_storage(url: str, *, reading: bool = False) -> Storage:
    """Open the study storage at `url`; raise `SearchError` where there is none, or it fails; never create a file.

    `reading` is for those who only look, often and at much: they see each statement's state by itself, and so keep no
    worker waiting for longer than a statement takes.
    """
    address = parse_address(url)
    if is_sqlite(address) and not _is_file(address):
        place = file_of(address).absolute().parent
        raise SearchError(f"no study storage at {address}, in the folder {place}; start one with 'agesearch search'")
    with storage_errors(address):
        return _opened(address, reading)


def create_storage(url: str) -> Storage:
    """Open the study storage at `url`, and create its file and its tables first where they are missing.

    Any number of processes may do this at once. Raises `SearchError` where it cannot be done safely or at all.
    """
    address = parse_address(url)
    with storage_errors(address):
        return _created(address)


@contextmanager
def exclusively(storage: Storage) -> Iterator[None]:
    """Let one process at a time into the block, over all that use the storage: for creating, never for trials."""
    address = make_url(storage.url)
    with storage_errors(address), excluding(address):
        yield


def quieten_optuna() -> None:
    """Let Optuna log warnings and errors alone; a command calls this once, as it changes the whole process."""
    optuna.logging.set_verbosity(logging.WARNING)


@retry_connecting
def _opened(address: URL, reading: bool) -> Storage:
    if _schema_version(address) is None:
        raise SearchError(f"the database {address} holds no study storage; start one with 'agesearch search'")
    return _connect(address, create=False, reading=reading)


@retry_connecting
def _created(address: URL) -> Storage:
    with excluding(address):
        version = _schema_version(address)
        storage = _connect(address, create=True)
        with storage.engine.begin() as tx:
            tables.metadata.create_all(tx)
            if version is None:
                tx.execute(insert(tables.schema).values(version=tables.SCHEMA_VERSION))
        return storage


def _connect(address: URL, *, create: bool, reading: bool = False) -> Storage:
    url = address.render_as_string(hide_password=False)
    rdb = (QuickReading if reading else RDBStorage)(
        url.replace("{", "{{").replace("}", "}}"),  # Optuna runs the URL through str.format
        engine_kwargs=engine_settings(address),
        skip_table_creation=not create,
        skip_compatibility_check=True,  # done below, where the engine can be closed again
    )
    found, needed = rdb.get_current_version(), rdb.get_head_version()
    if found != needed:
        rdb.engine.dispose()
        older = found in rdb.get_all_versions()
        remedy = f"make a copy, then run: optuna storage upgrade --storage {address}; or " if older else ""
        raise SearchError(
            f"the storage {address} was made by another version of Optuna: its tables are of version {found}, "
            f"this Optuna needs {needed}; {remedy}use the version that made it, or another --storage"
        )
    finalize(rdb, rdb.engine.dispose)  # a server likes to be told that a connection ends
    storage = Storage(url, rdb, rdb.engine)
    if is_sqlite(address):
        make_read_only(storage.engine) if reading else write_durably(storage.engine)
        return storage
    settle_transactions(storage.engine)
    if not reading:
        storage.reconnection.guard(storage.engine)
    return storage


def _schema_version(address: URL) -> int | None:
    """Return the version of our tables at `address`, None without any; raise `SearchError` for another than ours."""
    engine = own_engine(address)
    if not inspect(engine).has_table(tables.schema.name):
        return None
    with engine.connect() as connection:
        version = connection.scalar(select(tables.schema.c.version))
    if version not in (None, tables.SCHEMA_VERSION):
        raise SearchError(
            f"the storage {address} has tables of version {version}, this program needs {tables.SCHEMA_VERSION}; "
            "use the version of agesearch that made it, or another --storage"
        )
    return version


def _is_file(address: URL) -> bool:
    try:
        return file_of(address).is_file()
    except OSError as error:  # such as a folder of another user's, or too long a name
        raise unusable(address, error) from error
