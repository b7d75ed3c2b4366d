"""Where a study is kept: a database URL, refused if its database is of a kind or in a place that is not safe."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from search.errors import SearchError
from search.storage.mounts import NETWORK_FILE_SYSTEMS, file_system_of

_SQLITE = b"SQLite format 3\0"
"""What every SQLite file begins with that is not empty."""


def parse_address(url: str) -> URL:
    """Return the URL of a SQLite file or a PostgreSQL database, which prints without its password.

    Raises `SearchError` for any other text, for SQLite without a file or with options, and for SQLite on a network
    file system.
    """
    try:
        url.encode()  # what is no text in UTF-8 cannot be handed on
        address = make_url(url)
    except (ArgumentError, ValueError):
        # The text itself is not shown, nor kept as a cause: it may hold a password.
        raise SearchError("--storage is not a database URL; write one like sqlite:///runs/study.db") from None
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise SearchError(  # which option is a password there, nobody knows: the URL is not shown
            f"--storage is of the unknown kind {address.drivername!r}; use sqlite:///FILE or postgresql+psycopg://..."
        )
    if not is_sqlite(address) and address.get_driver_name() != "psycopg":
        raise SearchError(
            "--storage is of PostgreSQL, but of another driver than psycopg: write postgresql+psycopg://..."
        )
    if not is_sqlite(address) and "@" in f"{address.host}{address.database}":  # so either shows a part of the password
        raise SearchError("--storage has an @ or a / in its user's name or password; write them there as %40 and %2F")
    if is_sqlite(address) and address.get_driver_name() != "pysqlite":
        raise SearchError("--storage is of SQLite, but of another driver than Python's own: write sqlite:///FILE")
    if "sslpassword" in address.query:
        raise SearchError(
            "--storage has the option sslpassword, which would be shown with it; name a key without one, or a service"
        )
    if is_sqlite(address):
        address = _at_home(address)
        _refuse_unsafe(address)
        if "?" in url:  # and not only where it reads as options: what does not is dropped without a word
            raise SearchError(f"--storage {address} has a ?, but a SQLite file has no options; write sqlite:///FILE")
    return address


def is_sqlite(address: URL) -> bool:
    """Tell whether the database is a SQLite file, and not PostgreSQL."""
    return address.get_backend_name() == "sqlite"


def file_of(address: URL) -> Path:
    """Return the path of a SQLite file."""
    return Path(str(address.database))


def unusable(address: URL, error: OSError) -> SearchError:
    """Return what to raise where the operating system refuses a SQLite file."""
    return SearchError(f"the storage {address} cannot be used: {error.strerror} ({error.filename})")


def refuse_foreign_file(address: URL) -> None:
    """Raise SearchError where another kind of file is at the place of a SQLite file, before anything is made there."""
    try:
        with file_of(address).open("rb") as file:
            head = file.read(len(_SQLITE))
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(address, error) from error
    if head and head != _SQLITE:  # an empty file is an empty database
        raise SearchError(f"the storage {address} cannot be used: file is not a database; name another file")


def is_same(address: URL, url: str) -> bool:
    """Tell whether a URL names the same database, by whatever path, and whether or not it has the password in it."""
    try:
        other = make_url(url)
    except (ArgumentError, ValueError):
        return False
    if is_sqlite(address) and is_sqlite(other):
        return file_of(address).resolve() == file_of(other).resolve()
    return address._replace(password=None) == other._replace(password=None)


def _at_home(address: URL) -> URL:
    """Read ~ as a shell does: SQLite would make a folder of that name."""
    try:
        return address.set(database=str(file_of(address).expanduser())) if address.database else address
    except RuntimeError:
        raise SearchError(f"--storage {address} begins with the home folder of a user who has none here") from None


def _refuse_unsafe(address: URL) -> None:
    if address.host:
        raise SearchError(
            f"--storage {address} has two slashes, so that {address.host!r} would be a server, which SQLite has not; "
            f"write sqlite:///{address.host}/{address.database or 'study.db'}"
        )
    if address.database in (None, "", ":memory:") or str(address.database).startswith("file:"):
        raise SearchError(f"--storage {address} is not a file that workers can share; use sqlite:///runs/study.db")
    kind = file_system_of(file_of(address))
    if kind in NETWORK_FILE_SYSTEMS:
        raise SearchError(
            f"--storage {address} lies on a network file system ({kind}), whose locks SQLite cannot rely on; "
            "use a local directory, or PostgreSQL (postgresql+psycopg://...) for more than one machine"
        )
