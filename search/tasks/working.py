"""Where a task meets the run: its study prepared, its workers launched, and one worker's own process."""

import logging
from collections.abc import Callable
from threading import Event

from data.errors import DatasetError
from data.files import check_writable
from search.dashboard.board import Board
from search.errors import SearchError
from search.run.launcher import Launcher, places
from search.run.logs import log_folder
from search.run.loop import Workplace, work
from search.run.progress import StudyProgress
from search.run.ray_workers import Order, RayWorkers
from search.run.searching import Team, existing, launch, make_study
from search.run.stopping import stop_on_signals
from search.settings.settings import Settings
from search.storage.artifacts import artifact_folder
from search.storage.database import open_storage, quieten_optuna
from search.study.slots import Slots
from search.study.study import Study, load_study
from search.tasks.registry import task_named, task_of, task_of_study
from search.tasks.task import Task


def prepare_study(settings: Settings) -> Study:
    """Create the study that `settings` describe, or resume it, with its own settings where these say nothing.

    Raises SearchError where it exists with other settings or can never be worked on, or DatasetError where the logs
    cannot be written.
    """
    stored = existing(settings)
    task = task_named(stored.task.kind) if stored else task_of(settings)
    if stored is None:
        task.require_possible(settings)
    check_writable(log_folder(settings) / "worker-1.log")
    return make_study(settings, lambda found: task.spec(settings, found))


def launch_workers(settings: Settings, study: Study, watch: Callable[[StudyProgress], None]) -> bool:
    """Run workers until the study is done, and return True; or False where Ctrl-C or SIGTERM ended it before.

    Raises DatasetError where the artifacts cannot be written, and what `launch` raises.
    """
    return launch(study, lambda: _team(settings, study, task_of_study(study)), watch)


def run_worker(settings: Settings, stop: Event, gpu_share: float = 1.0) -> None:
    """Work on the study until it is done or `stop` is set, with `gpu_share` of the GPU's memory, where there is one.

    Raises SearchError where the study is unknown, or was made for other files.
    """
    quieten_optuna()
    study = load_study(open_storage(settings.storage), settings.study)
    with task_of_study(study).open(study, settings, gpu_share) as runner:
        place = Workplace(runner.device, artifact_folder(settings), Board(study).update)
        work(Slots(study), runner.run, stop, place)


def serve(order: Order) -> None:
    """Be one worker, within a task of Ray; what cancels the task makes it give its trial back and end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given = {"storage": order.storage, "study": order.study, **order.settings}
    with stop_on_signals() as stop:
        try:
            run_worker(Settings.model_validate(given), stop, order.gpu_share)
        except DatasetError as error:
            raise SearchError(str(error)) from error


def _team(settings: Settings, study: Study, task: Task) -> Team:
    """Return the workers, to run where the settings want them."""
    own = dict(task.worker_settings(settings))
    if settings.artifacts is not None:
        own["artifacts"] = str(settings.artifacts.absolute())
    if settings.on != "here":
        return RayWorkers(settings, study, own, task.threads(study.spec), serve)
    if settings.artifacts is not None:
        check_writable(settings.artifacts / "artifact", "--artifacts")
    devices = task.devices(study.spec)
    wanted = None if settings.workers == "auto" else settings.workers
    where = places(wanted, devices.gpus, devices.on_cpu, settings.per_gpu)
    return Launcher(study, own, log_folder(settings), where)
