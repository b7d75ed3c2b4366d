"""A search from this machine: settings become a study, workers are launched, and it is watched to its end."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

from data.dataset import DatasetInfo, inspect_dataset
from data.files import check_writable
from model.recipe import recipe_named
from search.errors import SearchError
from search.launcher import Launcher, places
from search.progress import Standing, standing
from search.settings import Settings
from search.slots import Slots
from search.space import Box, LogRange
from search.storage import Storage, create_storage
from search.study import FinalistBudget, Study, StudySpec, create_or_resume, load_study, study_names

WATCH_SECONDS = 0.5


def prepare_study(settings: Settings, dataset: Path) -> Study:
    """Create the study that `settings` describe, or resume it.

    Raises SearchError where it exists with other settings or cannot work on `dataset`, or DatasetError where that is
    none or the logs cannot be written.
    """
    info = inspect_dataset(dataset)
    _require_fitting(settings, info)
    check_writable(_logs(settings) / "worker-1.log")
    storage = create_storage(settings.storage)
    return create_or_resume(storage, settings.study, _spec(settings, info.digest, _precision(settings, storage)))


def launch(settings: Settings, study: Study, dataset: Path, watch: Callable[[Standing], None]) -> bool:
    """Run workers until the study is done, and return True; or False where Ctrl-C or SIGTERM ended it before.

    `watch` is called twice a second. Raises SearchError where workers cannot work.
    """
    slots = Slots(study)
    if _done(standing(slots)):
        return True
    devices = machine()
    wanted = None if settings.workers == "auto" else settings.workers
    launcher = Launcher(study, dataset, _logs(settings))
    with stop_on_signals() as stop:
        study.storage.patience.stop = stop
        try:
            launcher.start(places(wanted, devices["gpus"], devices["cores"], settings.per_gpu))
            now = standing(slots)
            while launcher.tend(now.closed) and not stop.wait(WATCH_SECONDS):
                now = standing(slots)
                watch(now)
        finally:
            launcher.stop()
    watch(now := standing(slots))
    return _done(now)


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """Give an event that Ctrl-C and SIGTERM set, for the length of the block."""
    stop = Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@cache
def machine() -> dict[str, Any]:
    """Ask a process of its own for GPUs, cores and the fastest precision, so that this one needs no TensorFlow."""
    asked = subprocess.run([sys.executable, "-P", "-m", "model.device"], capture_output=True, text=True, check=False)
    if asked.returncode:
        reason = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SearchError(f"this machine's devices cannot be found, TensorFlow does not start: {reason}")
    found: dict[str, Any] = json.loads(asked.stdout)
    return found


def _require_fitting(settings: Settings, info: DatasetInfo) -> None:
    """Refuse what every worker would die of, before there is a study that asks for it."""
    count, taken = info.counts["training"], recipe_named(settings.recipe).network().input_shape
    for name, images in (("images", settings.images), ("finalist_images", settings.finalist_images or 1)):
        if images > count:
            raise SearchError(f"{name} is {images}; {info.path} has {count} training images: give 1 to that many")
    if info.image_shape != taken:
        shapes = ["×".join(map(str, shape)) for shape in (info.image_shape, taken)]
        raise SearchError(f"the images of {info.path} are {shapes[0]}; the network takes {shapes[1]}: build it so")


def _logs(settings: Settings) -> Path:
    return settings.out / "logs" / settings.study


def _done(now: Standing) -> bool:
    return now.closed == now.slots


def _precision(settings: Settings, storage: Storage) -> str:
    if settings.precision != "auto":
        return settings.precision
    if settings.study in study_names(storage):
        return load_study(storage, settings.study).spec.precision
    return str(machine()["precision"])


def _spec(settings: Settings, digest: str, precision: str) -> StudySpec:
    later = settings.ranges
    return StudySpec(
        seed=settings.seed,
        dataset=digest,
        precision=precision,
        trials=settings.trials,
        box=_box(settings.learning_rate, settings.l2),
        ranges=_box(later.learning_rate, later.l2) if later else None,
        finalists=_finalists(settings),
        recipe=settings.recipe,
        threads=settings.threads,
        images=settings.images,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        max_attempts=settings.max_attempts,
    )


def _finalists(settings: Settings) -> FinalistBudget | None:
    if not settings.finalists:
        return None
    return FinalistBudget(
        settings.finalists,
        settings.finalist_repeats,
        settings.finalist_images or settings.images,
        settings.finalist_epochs or settings.epochs,
    )


def _box(learning_rate: tuple[float, float], l2: tuple[float, float]) -> Box:
    return Box((LogRange("learning_rate", *learning_rate), LogRange("l2", *l2)))
