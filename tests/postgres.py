"""A PostgreSQL server of the tests' own: its programs found, its data in memory, reached through a socket in a folder.

The server is one installed on the machine, else that of the package pgserver. It refuses root's rights, so that
root's tests run it as another user.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sysconfig
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.waiting import until

PASSWORD = "a secret/of: the @tests"  # noqa: S105  (of a server that lives as long as the tests)
GUARDED = "guarded"
"""A user who needs the password; `postgres` needs none."""

ROOM = 256 * 2**20
"""Bytes that must be free in memory; a server takes a quarter of it."""

_RULES = f"local all {GUARDED} scram-sha-256\nlocal all all trust\n"
_SETTINGS = ("fsync=off", "listen_addresses=", "max_connections=60", "shared_buffers=32MB", "log_min_messages=error")
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def programs():
    """The folder of `initdb` and `postgres`, or None where the machine has none."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: -int(each.parent.name))
    folders.append(Path(sysconfig.get_path("purelib"), "pgserver", "pginstall", "bin"))
    return next((folder for folder in folders if (folder / "postgres").is_file()), None)


def _whom():
    """What makes a child process run as somebody else than root; nothing where we are not root."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Server:
    """A running server; `url` names one of its databases."""

    def __init__(self, folder, binaries):
        self.folder, self._binaries = folder, binaries
        self._as_whom = _whom()
        if self._as_whom:
            os.chown(folder, self._as_whom["user"], self._as_whom["group"])
        self._data = folder / "data"
        self._initialise()
        self._process = None
        self.start()

    def url(self, database, user="postgres"):
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def start(self):
        """Start the server, and wait until it answers."""
        settings = [f"--{setting}" for setting in (*_SETTINGS, f"unix_socket_directories={self.folder}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *settings],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_die_with_the_tests,
                **self._as_whom,
            )
        until(self._answers, "the start of PostgreSQL", 60)

    def stop(self, how=signal.SIGINT):
        """End the server: SIGINT rolls back and disconnects its clients, SIGQUIT is a crash that it recovers from."""
        self._process.send_signal(how)
        self._process.wait(60)

    def execute(self, *statements):
        """Run statements outside of any transaction, as the server's owner."""
        engine = create_engine(self.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            return [connection.execute(text(statement)) for statement in statements]

    @contextmanager
    def database(self, name, template="template1", encoding="UTF8"):
        """A database of its own, for the length of the block; gives its URL."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'{encoding}\'')
        try:
            yield self.url(name)
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _initialise(self):
        command = [self._binaries / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        command += ["--no-locale", "--no-sync", "--no-instructions"]
        made = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False, **self._as_whom)
        assert made.returncode == 0, made.stderr
        (self._data / "pg_hba.conf").write_text(_RULES)

    def _answers(self):
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self.execute("SELECT 1")
        except OperationalError:
            return False
        return True


@contextmanager
def running_server():
    """A server for the length of the block."""
    folder = Path(mkdtemp(prefix="agesearch-", dir=_in_memory()))
    try:
        server = Server(folder, _readable(programs(), folder))
        try:
            server.execute(f"CREATE USER {GUARDED} SUPERUSER PASSWORD '{PASSWORD}'")
            yield server
        finally:
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder)


def _in_memory():
    """The file system in memory, or None where it has no room for two servers, as in a container."""
    shared = Path("/dev/shm")  # noqa: S108  (the folder made in it is private)
    return shared if shared.is_dir() and shutil.disk_usage(shared).free > ROOM else None


def _readable(binaries, folder):
    """The programs, or a copy of them where the user they shall run as cannot run them."""
    try:
        subprocess.run([binaries / "postgres", "--version"], cwd="/", stdout=subprocess.DEVNULL, check=True, **_whom())
    except (OSError, subprocess.CalledProcessError):
        shutil.copytree(binaries.parent, folder / "programs", symlinks=True)
        return folder / "programs" / "bin"
    return binaries


def _die_with_the_tests():
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGQUIT)
