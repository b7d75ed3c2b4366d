"""Outliving a database server that goes away: waiting until it is back, and taking the step again that was cut off."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import wraps
from itertools import chain, repeat
from threading import Event, Lock
from typing import Any, ParamSpec, TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.engine import Engine
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError

from search.storage.failures import causes, code_of, drivers_words

RECONNECT_SECONDS = 300.0
"""How long a server may be away: a restart takes seconds, moving it to another machine minutes."""

CONNECT_SECONDS = 20.0
"""How long a server may have no room for a first connection, or be starting."""

ANOTHER_SECONDS = 60.0
"""After so long without a failure the next one is another outage: connections that are kept need not be made anew."""

_NOT_YET = re.compile(
    r"too many (connections|clients)|remaining connection slots|"
    r"starting up|shutting down|recovery mode|not yet accepting|"
    r"no more connections allowed|cannot connect to server|server login has been failing"
)
_PASSING = frozenset({"40001", "40P01", "55P03", "57014"})
"""PostgreSQL's codes of what the same statement may not meet again: conflicts, deadlocks, locks and time-outs."""

_TRIES = 5  # a server that goes away cuts a step off once
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)

_log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Outage:
    """When a server was first found to be away, and when last, by our own clock."""

    began: float
    noticed: float


class Reconnection:
    """How an engine connects once its server has gone away: it waits for it, until `stop` is set.

    An outage is waited for once, however many connections are wanted meanwhile.
    """

    def __init__(self, seconds: float = RECONNECT_SECONDS) -> None:
        self.stop = Event()
        self._seconds = seconds
        self._lock = Lock()  # a worker and its lease connect at once
        self._outage: Outage | None = None

    def guard(self, engine: Engine) -> None:
        """Let an engine that has reached its server make all further connections patiently.

        A server that has never answered is not to be waited for: its name is probably wrong.
        """
        listen(engine, "do_connect", self._connect)

    def _connect(self, dialect: Any, _record: object, arguments: Any, settings: Any) -> Any:
        for pause in _pauses():
            try:
                connection = dialect.connect(*arguments, **settings)
            except dialect.loaded_dbapi.OperationalError as error:
                if self.stop.is_set() or self._is_used_up(error) or self.stop.wait(pause):
                    raise
            else:
                self._end_outage()
                return connection
        raise AssertionError("unreachable: pauses never end")

    def _is_used_up(self, error: Exception) -> bool:
        now = time.monotonic()
        with self._lock:
            if self._outage is None or now > self._outage.noticed + ANOTHER_SECONDS:
                self._outage = Outage(now, now)
                reason = drivers_words(error)
                _log.warning("no connection to the database, waiting up to %.0f s for one: %s", self._seconds, reason)
            self._outage = replace(self._outage, noticed=now)
            return now > self._outage.began + self._seconds

    def _end_outage(self) -> None:
        with self._lock:
            if self._outage is not None:
                self._outage = None
                _log.warning("the database can be connected to again")


def retry_connecting(step: Callable[P, R]) -> Callable[P, R]:
    """Take a step that connects for the first time again while the server answers that it has no room, or just starts.

    It has answered, so that its name is right, and it is worth waiting for a little.
    """

    @wraps(step)
    def taken(*args: P.args, **kwargs: P.kwargs) -> R:
        began = time.monotonic()
        for pause in _pauses():
            try:
                return step(*args, **kwargs)
            except (DBAPIError, StorageInternalError) as error:
                spent, said = time.monotonic() - began, drivers_words(error)
                if spent > CONNECT_SECONDS or not _NOT_YET.search(said):
                    raise
                if pause == _PAUSES[0]:
                    _log.warning("the database lets nobody in yet, trying for %.0f s: %s", CONNECT_SECONDS, said)
            time.sleep(pause)
        raise AssertionError("unreachable: pauses never end")

    return taken


def retry_interrupted(step: Callable[P, R]) -> Callable[P, R]:
    """Retry a step whose connection was lost, on a new connection, or whose statement met with what will pass.

    The server may have carried it out and only the answer was lost, so the step must be one that is harmless to repeat
    or that finds out, when it is repeated, what became of it the first time.
    """

    @wraps(step)
    def taken(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_TRIES - 1):
            try:
                return step(*args, **kwargs)
            except (DBAPIError, StorageInternalError) as error:
                if not any(map(_will_pass, causes(error))):
                    raise
                _log.warning("the database did not end %s, trying again: %s", step.__name__, drivers_words(error))
            time.sleep(_PAUSES[0])
        return step(*args, **kwargs)

    return taken


def _will_pass(error: BaseException) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or code_of(error) in _PASSING


def _pauses() -> Iterator[float]:
    return chain(_PAUSES, repeat(_PAUSES[-1]))
