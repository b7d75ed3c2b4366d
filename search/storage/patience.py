"""Outliving a database server that goes away: waiting until it is back, and taking the step again that was cut off."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from itertools import chain, repeat
from threading import Event
from typing import Any, ParamSpec, TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.engine import Engine
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError

PATIENCE_SECONDS = 300.0
"""How long a server may be away: a restart takes seconds, moving it to another machine minutes."""

_TRIES = 5  # a server that goes away cuts a step off once
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)

_log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class Patience:
    """How an engine connects once its server has gone away: it waits for it, until `stop` is set."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self.stop = Event()
        self._seconds = seconds

    def guard(self, engine: Engine) -> None:
        """Let an engine that has reached its server make all further connections patiently.

        A server that has never answered is not to be waited for: its name is probably wrong.
        """
        listen(engine, "do_connect", self._connect)

    def _connect(self, dialect: Any, _record: object, arguments: Any, settings: Any) -> Any:
        deadline = time.monotonic() + self._seconds
        for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
            try:
                return dialect.connect(*arguments, **settings)
            except dialect.loaded_dbapi.OperationalError as error:
                _log.warning("the database does not answer: %s", error)
                if time.monotonic() > deadline or self.stop.wait(pause):
                    raise
        raise AssertionError("unreachable: pauses never end")


def outlasting(step: Callable[P, R]) -> Callable[P, R]:
    """Retry a step whose connection was lost, on a new connection.

    The server may have carried it out and only the answer was lost, so the step must be one that is harmless to repeat
    or that finds out, when it is repeated, what became of it the first time.
    """

    @wraps(step)
    def taken(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_TRIES - 1):
            try:
                return step(*args, **kwargs)
            except (DBAPIError, StorageInternalError) as error:
                if not _cut_off(error):
                    raise
                _log.warning("the connection to the database was lost, trying again: %s", step.__name__)
        return step(*args, **kwargs)

    return taken


def _cut_off(error: BaseException | None) -> bool:
    """Tell whether a connection broke, which Optuna wraps into an error of its own."""
    while error is not None:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        error = error.__cause__
    return False
