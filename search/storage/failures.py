"""What databases raise, as one sentence: whether what was given is to blame or the database, and what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from search.errors import SearchError, SearchFailure

_REFUSED = re.compile(
    r"authentication failed|no password supplied|(database|role) .* does not exist|permission denied for|"
    r"invalid connection option|is not a database|unable to open database file|readonly database|"
    r"disk image is malformed|has no equivalent in encoding|"
    r"invalid \S+ value:|bad value for|invalid value for parameter|port arguments|invalid port number|"
    r"unsupported startup parameter|read-only transaction|"
    r"could not parse network address|definition of service .* not found"
)
"""What libpq, PostgreSQL and SQLite say of what was given; a server that is away or a full disk says other things."""

REMEDY = "make a copy, then restore a backup or recover what is left with: sqlite3 FILE .recover"
"""What to do about a damaged SQLite file."""

_ADVICE = {
    "malformed": REMEDY,
    "permission denied for": "let its user own the database, or grant it USAGE and CREATE on the schema",
    "equivalent in encoding": "use a database that was created with ENCODING 'UTF8'",
    "too many": "raise the server's max_connections or the user's CONNECTION LIMIT, or start fewer workers",
    "client_conn": "raise the pooler's max_client_conn, or start fewer workers",
    "query_wait_timeout": "give the pooler a larger pool (default_pool_size): every worker needs two connections",
    "lock timeout": "another session holds the rows (pg_locks and pg_stat_activity name it); end it, then try again",
    "startup parameter": "leave options out of the URL, or list them in the pooler's ignore_startup_parameters",
    "connection slots": "raise the server's max_connections, or start fewer workers",
}


_READ_ONLY = re.compile(r"readonly database|read-only transaction|permission denied")


@contextmanager
def storage_errors(storage: object) -> Iterator[None]:
    """Turn what a database raises within the block into one sentence that names the storage, or its URL.

    A `SearchError` where it is the address, the password or the file that will never do, else a `SearchFailure`.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        said = drivers_words(error)
        kind = SearchError if _REFUSED.search(said) else SearchFailure
        advice = next((f"; {advice}" for sign, advice in _ADVICE.items() if sign in said), "")
        raise kind(f"the storage {storage} cannot be used: {said}{advice}") from error


def is_read_only(error: BaseException) -> bool:
    """Tell whether a database refused a change because it, or this user of it, may only read."""
    return _READ_ONLY.search(drivers_words(error)) is not None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was made of, outermost first: Optuna wraps a database's into one of its own."""
    while error is not None:
        yield error
        error = error.__cause__


def code_of(error: DBAPIError) -> str | None:
    """Return PostgreSQL's code of what went wrong (SQLSTATE); None where there is none, as of SQLite."""
    return getattr(error.orig, "sqlstate", None)


def drivers_words(error: BaseException) -> str:
    """Return the first line of what the driver said, which names no password and no statement."""
    *_, innermost = causes(error)
    return str(innermost).strip().partition("\n")[0]
