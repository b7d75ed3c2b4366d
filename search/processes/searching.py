"""A search from this machine: settings become a study, workers are launched, and it is watched to its end."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from data.dataset import inspect_dataset
from data.files import check_writable, file_name
from search.errors import SearchError, SearchFailure
from search.processes.launcher import Launcher, places
from search.processes.progress import Standing, standing
from search.processes.ray_workers import RayWorkers
from search.processes.stopping import stop_on_signals
from search.settings import Settings
from search.slots.slots import Slots
from search.storage.database import Storage, create_storage, open_storage
from search.storage.failures import storage_errors
from search.study.spec import StudySpec
from search.study.specifying import require_fitting, spec_of, spec_to_resume
from search.study.study import Study, create_or_resume, load_study, refuse_foreign, study_names

WATCH_SECONDS = 0.5


def prepare_study(settings: Settings, dataset: Path) -> Study:
    """Create the study that `settings` describe, or resume it, with its own settings where these say nothing.

    Raises SearchError where it exists with other settings or cannot work on `dataset`, or DatasetError where that is
    none or the logs cannot be written.
    """
    is_new = existing(settings) is None
    info = inspect_dataset(dataset)
    if is_new:
        require_fitting(settings, info)

    def spec_for(precision: str, stored: StudySpec | None) -> StudySpec:
        return spec_to_resume(settings, info, precision, stored) if stored else spec_of(settings, info, precision)

    return make_study(settings, spec_for)


def make_study(settings: Settings, spec_for: Callable[[str, StudySpec | None], StudySpec]) -> Study:
    """Create the study of that name, or resume it; `spec_for(precision, what is stored)` says what it is.

    Raises SearchError where it exists with other settings, or DatasetError where the logs cannot be written.
    """
    check_writable(log_folder(settings) / "worker-1.log")
    storage = create_storage(settings.storage)
    stored, precision = _stored(storage, settings.study), str(settings.precision)
    if precision == "auto" and stored is None:
        precision = str(machine()["precision"])
        stored = _stored(storage, settings.study)  # which somebody else may have made in these seconds
    if settings.precision == "auto" and stored:
        precision = stored.precision
    return create_or_resume(storage, settings.study, spec_for(precision, stored))


def existing(settings: Settings) -> StudySpec | None:
    """Return what is stored of the study, and create nothing where there is no storage.

    Raises SearchError where somebody else has a study of that name.
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


def launch(settings: Settings, study: Study, dataset: Path, watch: Callable[[Standing], None]) -> bool:
    """Run workers until the study is done, and return True; or False where Ctrl-C or SIGTERM ended it before.

    `watch` is called twice a second. Raises DatasetError where the artifacts cannot be written, SearchError where
    workers can never work, and SearchFailure where they fail or end before the study does, or where the storage fails
    at the beginning or the end; what it does in between, the workers see to.
    """
    with storage_errors(study.storage):
        return _launched(settings, study, dataset, watch)


def _launched(settings: Settings, study: Study, dataset: Path, watch: Callable[[Standing], None]) -> bool:
    slots = Slots(study)
    if _done(now := standing(slots)):
        return True
    team, start = _team(settings, study, dataset)
    with stop_on_signals() as stop:
        study.storage.patience.stop = stop
        try:
            start()
            while team.tend(now.closed) and not stop.wait(WATCH_SECONDS):
                with suppress(SQLAlchemyError):
                    now = standing(slots, now)
                    watch(now)
        finally:
            team.stop()
    try:
        watch(now := standing(slots, now))
    except (SQLAlchemyError, StorageInternalError):
        if stop.is_set():  # whoever stops does not wait for a database that is away
            return False
        raise
    if not _done(now) and not stop.is_set():
        raise SearchFailure(
            f"the workers ended before the study, with {now.closed} of {now.slots} slots closed; "
            "'agesearch status' may say why, and 'agesearch repair' may mend it"
        )
    return _done(now)


def _team(settings: Settings, study: Study, dataset: Path) -> tuple[Launcher | RayWorkers, Callable[[], None]]:
    """Return the workers, to run where the settings want them, and what starts them."""
    if settings.on != "here":
        workers = RayWorkers(settings, study, dataset)
        return workers, workers.start
    if settings.artifacts is not None:
        check_writable(settings.artifacts / "artifact", "--artifacts")
    devices = machine()
    wanted = None if settings.workers == "auto" else settings.workers
    launcher = Launcher(study, dataset, log_folder(settings), artifacts=settings.artifacts)
    at_once = max(1, devices["cores"] // study.spec.threads)
    return launcher, lambda: launcher.start(places(wanted, devices["gpus"], at_once, settings.per_gpu))


@cache
def machine() -> dict[str, Any]:
    """Ask a process of its own for GPUs, cores and the fastest precision, so that this one needs no TensorFlow."""
    asked = subprocess.run([sys.executable, "-P", "-m", "model.device"], capture_output=True, text=True, check=False)
    if asked.returncode:
        reason = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SearchError(f"cannot look for devices, as TensorFlow does not start: {reason}")
    found: dict[str, Any] = json.loads(asked.stdout)
    return found


def log_folder(settings: Settings) -> Path:
    """Return the folder of the logs of a study's workers on this machine."""
    return settings.out / "logs" / file_name(settings.study)


def _done(now: Standing) -> bool:
    return now.closed == now.slots
