"""What the dashboard shows of a study next to its trials, kept up to date: a note that explains it, its search map."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from search.dashboard.map_figure import map_figure
from search.dashboard.note import study_note, with_own_part
from search.errors import SearchError
from search.results.search_map import search_map
from search.storage.engines import repeatable_read
from search.storage.failures import code_of
from search.storage.optuna_tables import study_attributes
from search.study.study import Study

EVERY_SECONDS = 15.0
_SHARE = 200
"""An update may take a 200th of the time until the next one, however large the study."""

# The keys of Optuna's dashboard among a study's attributes. Its own functions cut a text into pieces, for
# databases that keep no long ones, and write each in a transaction of its own, so that a page would read halves, and
# two workers would mix theirs. The page looks through all pieces once for each trial that it shows: here a text is one.
_VERSION, _NOTE, _MAP = "dashboard:note_ver", "dashboard:note_str:", "dashboard:plot_data:search-map:"

_CHANGED_SINCE = "40001"
"""PostgreSQL's code of a row that another transaction has changed since this one began."""

_log = logging.getLogger(__name__)


class Board:
    """One worker's part in keeping a study's note and map up to date."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._due = -float("inf")

    def update(self, last: bool) -> None:
        """Bring note and map up to date if it is time, or the `last` time; what goes wrong is logged, never raised."""
        began = time.monotonic()
        if began < self._due and not last:
            return
        try:
            show(self._study)
        except Exception as error:  # whatever it is, trials do not depend on it
            _log.warning("the note and the map of the study could not be brought up to date: %s", error)
        now = time.monotonic()
        self._due = now + max(EVERY_SECONDS, _SHARE * (now - began))


def show(study: Study) -> None:
    """Write a study's note and map as they are now, each whole or not at all.

    Neither is written where another process, or a user on the page, has just done so: the next time will do.
    """
    figure, note = _figure(study), study_note(study)
    with _giving_way(), repeatable_read(study.storage.engine) as tx:
        _replace(tx, study, _MAP, figure)
        old = _read(tx, study, _NOTE)
        new = with_own_part(note, old)
        if new != old:
            _replace(tx, study, _NOTE, new)
            _put(tx, study, {_VERSION: _version(tx, study) + 1})


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let what others have changed since the transaction began be theirs."""
    try:
        yield
    except IntegrityError:
        pass  # both have inserted the same
    except OperationalError as error:
        if code_of(error) != _CHANGED_SINCE:
            raise


def _figure(study: Study) -> str:
    try:
        return json.dumps(map_figure(search_map(study)), allow_nan=False)
    except SearchError:  # a study of one parameter, which has no map
        return ""


def _replace(tx: Connection, study: Study, prefix: str, text: str) -> None:
    tx.execute(delete(study_attributes).where(*_under(study, prefix)))
    _put(tx, study, {f"{prefix}0": text} if text else {})


def _put(tx: Connection, study: Study, values: Mapping[str, str | int]) -> None:
    of_study = (study_attributes.c.study_id == study.id, study_attributes.c.key.in_(values))
    tx.execute(delete(study_attributes).where(*of_study))
    rows = [{"study_id": study.id, "key": key, "value_json": json.dumps(value)} for key, value in values.items()]
    if rows:
        tx.execute(insert(study_attributes), rows)


def _read(tx: Connection, study: Study, prefix: str) -> str:
    rows = tx.execute(select(study_attributes.c.key, study_attributes.c.value_json).where(*_under(study, prefix)))
    pieces = {int(key.removeprefix(prefix)): json.loads(value) for key, value in rows}
    return "".join(pieces[number] for number in sorted(pieces))


def _version(tx: Connection, study: Study) -> int:
    value = tx.scalar(select(study_attributes.c.value_json).where(*_under(study, _VERSION)))
    return 0 if value is None else int(json.loads(value))


def _under(study: Study, prefix: str) -> tuple[Any, ...]:
    return study_attributes.c.study_id == study.id, study_attributes.c.key.startswith(prefix, autoescape=True)
