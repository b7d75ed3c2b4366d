"""One worker of ours, storage and all; `ours.py DATA IMAGES EPOCHS STORAGE THREADS`.

It runs the very loop of `agesearch worker`; only that each trial waits for its turn.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event

from turns import Parts, peak_memory, ready, say, told_to_go

from data.dataset import inspect_dataset, read_split
from model.engine.device import configure, fastest_precision
from search.errors import SearchError, TrialStopped
from search.run.loop import work
from search.settings.settings import Settings
from search.storage.database import Storage, create_storage, quieten_optuna
from search.study.slots import Slots
from search.study.spec import StudySpec
from search.study.study import Study, create_or_resume, load_study
from search.study.trial import Diverged, Outcome, Trial
from search.tasks.images.objective import Objective
from search.tasks.images.specifying import spec_of

SLOTS = 10_000


class Turns:
    """Runs a trial when told to; what passes between two trials is storage and bookkeeping, the first one's."""

    def __init__(self, objective: Objective, parts: Parts, stop: Event) -> None:
        self.objective, self.parts, self.stop = objective, parts, stop
        self.warm = False
        self.began = self.trained = 0.0

    def __call__(self, trial: Trial) -> Outcome | Diverged:
        """Tell about the trial before this one, wait for the word, and run this one; the very first warms up."""
        if not self.warm:
            self.warm = True
            return self.objective(trial)
        if self.began:
            self._tell()
        else:
            ready()
        if not told_to_go():
            self.stop.set()
            raise TrialStopped
        self.parts.seconds.clear()
        self.began = time.perf_counter()
        outcome = self.objective(trial)
        self.trained = time.perf_counter()
        return outcome

    def _tell(self) -> None:
        now = time.perf_counter()
        parts = {**self.parts.seconds, "storage": now - self.trained}
        say({"trial": now - self.began, "parts": parts, "memory": peak_memory()})


def timed(objective: Objective) -> Parts:
    """Make the engine's steps add their seconds to the parts that are returned."""
    parts, engine = Parts(), objective.training_for({}).engine
    for step, part in (
        ("reset", "build"),
        ("train", "train"),
        ("precise_batch_norm", "validate"),
        ("predict", "validate"),
    ):
        setattr(engine, step, partial(_timed_call, parts, part, getattr(engine, step)))
    return parts


def _timed_call(parts: Parts, part: str, step: Callable[..., object], *arguments: object) -> object:
    return parts.time(part, lambda: step(*arguments))


def begun(storage: Storage, spec: StudySpec) -> Study:
    """Return the study, made by the worker that is first: the other one may measure another precision."""
    try:
        return create_or_resume(storage, "bench", spec)
    except SearchError:
        return load_study(storage, "bench")


def main(path: Path, images: int, epochs: int, storage: str, threads: int) -> None:
    """Work until stdin is closed."""
    quieten_optuna()
    configure(threads)
    settings = Settings(data=path, trials=(SLOTS,), finalists=0, images=images, epochs=epochs, threads=threads)
    spec = spec_of(settings, inspect_dataset(path), fastest_precision())
    study = begun(create_storage(storage), spec)
    stop = Event()
    objective = Objective(study.spec.task, read_split(path, "training"), read_split(path, "validation"))
    work(Slots(study), Turns(objective, timed(objective), stop), stop)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
