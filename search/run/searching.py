"""A search from this machine: settings become a study, workers are launched, and it is watched to its end."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from search.errors import SearchError, SearchFailure
from search.run.deaths import FailedAttempts
from search.run.progress import StudyProgress, study_progress
from search.run.stopping import stop_on_signals
from search.settings.settings import Settings
from search.storage.database import Storage, create_storage, open_storage
from search.storage.failures import storage_errors
from search.study.slots import Slots
from search.study.spec import StudySpec
from search.study.study import Study, create_or_resume, load_study, refuse_foreign, study_names

WATCH_SECONDS = 0.5


class Team(Protocol):
    """The workers of one study, wherever they are."""

    def start(self) -> None:
        """Start all of them; raise SearchError where none can ever work."""

    def replace_dead(self, closed: int) -> bool:
        """Start dead ones again, and return whether any is at work; `closed` slots are closed by now."""

    def stop(self) -> None:
        """Have all of them hand their trials back and end."""


def make_study(settings: Settings, spec_for: Callable[[StudySpec | None], StudySpec]) -> Study:
    """Create the study of that name, or resume it; `spec_for(what is stored)` says what it is to be.

    Raises SearchError where it exists with other settings.
    """
    storage = create_storage(settings.storage)
    stored = _stored(storage, settings.study)
    spec = spec_for(stored)
    if stored is None and (stored := _stored(storage, settings.study)):  # another process has made it meanwhile
        spec = spec_for(stored)
    return create_or_resume(storage, settings.study, spec)


def existing(settings: Settings) -> StudySpec | None:
    """Return what is stored of the study, and create nothing where there is no storage.

    Raises SearchError where another program has a study of that name.
    """
    try:
        storage = open_storage(settings.storage)
    except SearchFailure:
        raise
    except SearchError:  # there is no storage yet, or none can be made there either
        return None
    return _stored(storage, settings.study)


def _stored(storage: Storage, name: str) -> StudySpec | None:
    if name in study_names(storage):
        return load_study(storage, name).spec
    with storage_errors(storage):
        refuse_foreign(storage, name)
    return None


def launch(study: Study, team_of: Callable[[], Team], watch: Callable[[StudyProgress], None]) -> bool:
    """Run workers until the study is done, and return True; or False where Ctrl-C or SIGTERM ended it before.

    `team_of` makes the workers, if there is anything left to do; `watch` is called twice a second. Raises SearchError
    where workers can never work, and SearchFailure where they fail or end before the study does, or where the storage
    fails at the beginning or the end; what it does in between, the workers see to.
    """
    with storage_errors(study.storage):
        return _launched(study, team_of, watch)


def _launched(study: Study, team_of: Callable[[], Team], watch: Callable[[StudyProgress], None]) -> bool:
    slots = Slots(study)
    if _done(now := study_progress(slots)):
        return True
    team, attempts = team_of(), FailedAttempts(study, now.failures)
    with stop_on_signals() as stop:
        study.storage.reconnection.stop = stop
        try:
            team.start()
            while team.replace_dead(now.closed) and not stop.wait(WATCH_SECONDS):
                with suppress(SQLAlchemyError):
                    now = study_progress(slots, now)
                    watch(now)
                    attempts.watch(now.failures)
        finally:
            team.stop()
    try:
        watch(now := study_progress(slots, now))
        attempts.watch(now.failures)
    except (SQLAlchemyError, StorageInternalError):
        if stop.is_set():  # a user who stops it does not wait for a database that is away
            return False
        raise
    if not _done(now) and not stop.is_set():
        raise SearchFailure(
            f"the workers ended before the study, with {now.closed} of {now.slots} slots closed; "
            "'agesearch status' may say why, and 'agesearch repair' may repair it"
        )
    return _done(now)


def _done(now: StudyProgress) -> bool:
    return now.closed == now.slots
