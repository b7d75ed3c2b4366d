"""A PgBouncer of the tests' own before a PostgreSQL server of theirs: one that can be restarted."""

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.postgres import _whom
from tests.waiting import until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Pooler:
    """A running pooler; `url` names a database of its server, reached through it."""

    def __init__(self, folder, server, mode):
        self._folder, self._whom = folder, _whom()
        self._log = folder / "log"
        settings = {
            "listen_addr": "",
            "listen_port": 6432,
            "unix_socket_dir": folder,
            "auth_type": "any",
            "pool_mode": mode,
            "default_pool_size": 20,
            "max_client_conn": 1200,  # each of 500 workers has one, and a second one while it looks
            "server_lifetime": 3600,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        backend = f"* = host={server.folder} user=postgres"
        (folder / "pgbouncer.ini").write_text("\n".join(["[databases]", backend, "[pgbouncer]", *lines, ""]))
        if self._whom:
            os.chown(folder, self._whom["user"], self._whom["group"])
        self._process = None
        self.start()

    def url(self, database):
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}&port=6432"

    def start(self):
        """Start the pooler, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, self._folder / "pgbouncer.ini"], stdout=log, stderr=log, cwd=self._folder, **self._whom
            )
        until(self._answers, "the start of PgBouncer", 30)

    def stop(self):
        """End the pooler at once, with all its connections."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def _answers(self):
        assert self._process.poll() is None, self._log.read_text()
        engine = create_engine(self.url("postgres"), poolclass=NullPool)
        try:
            with engine.connect() as connection:
                return connection.scalar(text("SELECT 1")) == 1
        except OperationalError:
            return False


@contextmanager
def running_pooler(server, mode):
    """A pooler in a mode, `session` or `transaction`, for the length of the block."""
    folder = Path(mkdtemp(prefix="pooler-"))
    try:
        pooler = Pooler(folder, server, mode)
        try:
            yield pooler
        finally:
            pooler.stop()
    finally:
        shutil.rmtree(folder)
