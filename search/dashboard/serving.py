"""optuna-dashboard for a storage, behind our guard, under a production server."""

import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from errno import EADDRNOTAVAIL
from socket import gaierror
from threading import Thread
from typing import Any

from optuna.storages import get_storage
from sqlalchemy import false, select, update
from sqlalchemy.exc import SQLAlchemyError

from search.dashboard.changes import refusal_of
from search.dashboard.guard import MAX_BODY, SAFE, Application, Environ, Guard, Refusal, Rules, refuse
from search.dashboard.mounting import Mounted
from search.errors import SearchError
from search.settings.password import read_secret
from search.settings.settings import Settings
from search.storage import tables
from search.storage.address import file_of, is_sqlite, parse_address
from search.storage.artifacts import ArtifactFolder, artifact_folder
from search.storage.database import open_storage, quieten_optuna
from search.storage.failures import is_read_only
from search.storage.optuna_tables import study_id_of

THREADS = 8
CONNECTIONS = 1000
"""Each open page holds up to six."""

READ_ONLY = Refusal("403 Forbidden", "The database can only be read: nothing can be changed here.")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """What the user said about who may do what: look only, or come in from anywhere without a password."""

    read_only: bool = False
    is_open: bool = False


def serve(settings: Settings, access: Access, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; calls `ready` with the page's address once it listens.

    Raises SearchError for an address that others reach where there is no password, one that is taken, or a storage
    that is none.
    """
    host, rules = _address(settings.host), rules_of(settings, access)
    import waitress

    quieten_optuna()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a full queue for a moment is how polling looks
    pages = Pages(settings.storage, artifact_folder(settings))
    try:
        server = waitress.create_server(
            Mounted(Guard(pages, rules, pages.healthy), settings.dashboard_path),
            host=host,
            port=settings.port,
            threads=THREADS,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=True,
            max_request_body_size=MAX_BODY,
            ident=None,
        )
    except OSError as error:
        wrong = "--host" if isinstance(error, gaierror) or error.errno == EADDRNOTAVAIL else "--port"
        raise SearchError(
            f"the dashboard cannot listen on {host}:{settings.port}: {error.strerror}; choose another {wrong}"
        ) from error
    Thread(target=pages.read_ahead, daemon=True).start()
    shown = f"[{host}]" if ":" in host else host
    ready(f"http://{shown}:{server.effective_port}{settings.dashboard_path.rstrip('/')}/")
    try:
        server.run()
    finally:
        server.close()


def rules_of(settings: Settings, access: Access) -> Rules:
    """Return what the guard goes by; raises SearchError where others could reach an open dashboard unawares."""
    host, password = _address(settings.host), _password(settings)
    local = ipaddress.ip_address(host).is_loopback
    if not local and password is None and not access.is_open:
        raise SearchError(
            f"host is {host!r}, where others reach the dashboard and may change the study; set "
            "AGESEARCH_DASHBOARD_PASSWORD or --dashboard-password-file, or say --i-know-it-is-open"
        )
    names = {name.lower() for name in settings.dashboard_hosts or ()}
    if not local:
        names.add(socket.gethostname().lower())
    return Rules(frozenset(names), password, local, access.read_only)


class Pages:
    """optuna-dashboard as a WSGI application: what only reads keeps no worker waiting, what changes is safe."""

    def __init__(self, url: str, artifacts: ArtifactFolder | None) -> None:
        self._artifacts = artifacts
        self._written = open_storage(url)
        self._written.reconnection.stop.set()  # a page says at once that the database is away
        self._changing = self._made_of(self._written.rdb)
        self._storage = open_storage(url, reading=True)
        self._file = _file_at(url)
        self._studies: list[tuple[Any, ...]] | None = self._list_studies()
        self._reading = self._cached()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] not in SAFE:
            return self._change(environ, start_response)
        if environ["PATH_INFO"].startswith(("/api/", "/artifacts/")):
            self._forget_deleted()
        return self._reading(environ, start_response)

    def _change(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._list_studies()  # raises where the storage is away, which Optuna would answer with a 500
        with self._storage.engine.begin() as tx:
            refusal = refusal_of(tx, environ)
        refusal = refusal or self._unwritable()
        if refusal is not None:
            return refuse(refusal, environ, start_response)
        return self._changing(environ, start_response)

    def _unwritable(self) -> Refusal | None:
        """Return a refusal where the database lets nobody write, which Optuna would answer with a 500."""
        try:
            with self._written.engine.begin() as tx:
                tx.execute(update(tables.schema).values(version=tables.SCHEMA_VERSION).where(false()))
        except SQLAlchemyError as error:
            if is_read_only(error):
                return READ_ONLY
            raise
        return None

    def read_ahead(self) -> None:
        """Read all trials, so that whoever opens a large study first need not wait for that."""
        try:
            for study in self._trials.get_all_studies():
                self._trials.get_all_trials(study_id_of(study), deepcopy=False)
        except Exception as error:  # whatever it is, a page will say it if it lasts
            _log.warning("the trials could not be read ahead: %s", error)

    def healthy(self) -> bool:
        """Tell whether the storage answers."""
        try:
            self._list_studies()
        except SQLAlchemyError:
            return False
        return True

    def _forget_deleted(self) -> None:
        """Begin anew where the studies are others: a database gives the numbers of deleted ones to new ones."""
        studies = self._list_studies()
        if studies != self._studies:
            self._reading, self._studies = self._cached(), studies

    def _list_studies(self) -> list[tuple[Any, ...]]:
        self._notice_another_file()
        with self._storage.engine.begin() as tx:
            return [tuple(row) for row in tx.execute(select(tables.studies.c.study, tables.studies.c.created))]

    def _notice_another_file(self) -> None:
        """Leave the file that was at the storage's path, if it was deleted, for the one that is there now."""
        file = _file_at(self._storage.url)
        if file != self._file:
            for each in (self._storage, self._written):
                each.engine.dispose()
            self._file, self._studies = file, None

    def _cached(self) -> Application:
        """Make an application that reads a finished trial once, and not each time that a page asks for the study."""
        self._trials = get_storage(self._storage.rdb)
        return self._made_of(self._trials)

    def _made_of(self, storage: Any) -> Application:
        import optuna_dashboard

        store = self._artifacts and Served(self._artifacts.path)
        application: Application = optuna_dashboard.wsgi(storage, artifact_store=store)
        return application


class Served(ArtifactFolder):
    """The artifacts, one that is missing being the browser's fault and not the server's."""

    def open_reader(self, artifact_id: str) -> Any:
        """Open an artifact."""
        from bottle import HTTPError
        from optuna.artifacts.exceptions import ArtifactNotFound

        try:
            return super().open_reader(artifact_id)
        except ArtifactNotFound as error:
            raise HTTPError(404, "There is no such artifact.") from error


def _file_at(url: str) -> tuple[int, int] | None:
    """Return device and inode of a SQLite file; None of another database. Raises SQLAlchemyError where it is gone.

    A connection goes on with a file that was deleted, and one that is made where there is no file makes it anew.
    """
    address = parse_address(url)
    if not is_sqlite(address):
        return None
    try:
        found = file_of(address).stat()
    except OSError as error:
        raise SQLAlchemyError(f"{address}: {error.strerror}") from error
    return found.st_dev, found.st_ino


def _address(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"  # the name may stand for two addresses, and so for two servers with two ports
    try:
        return str(ipaddress.ip_address(host))
    except ValueError as error:
        raise SearchError(f"host is {host!r}; give an address, such as 127.0.0.1 or 0.0.0.0") from error


def _password(settings: Settings) -> str | None:
    given, file = settings.dashboard_password, settings.dashboard_password_file
    if given is not None and file is not None:
        raise SearchError("both dashboard_password and dashboard_password_file are set; keep one of them")
    if file is not None:
        return read_secret("dashboard_password_file", file)
    return given.get_secret_value() if given is not None else None
