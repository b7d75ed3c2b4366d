"""A study whose trials take no time, what it must come to, and workers for it that die where they are told to."""

import importlib
import logging
import os
import signal
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from types import SimpleNamespace

from optuna.trial import TrialState
from sqlalchemy import event
from sqlalchemy.engine import Engine

from search.run.loop import work
from search.settings.settings import Settings
from search.space.learning_samplers import Seen
from search.space.narrowing import FinishedTrial, narrow
from search.space.seeds import trial_seeds, uniforms
from search.storage.database import Storage, create_storage, open_storage, quieten_optuna
from search.study.plans import Sampled
from search.study.slots import Slots
from search.study.spec import FinalistBudget, StudySpec
from search.study.stages import open_next
from search.study.study import Study, create_or_resume, load_study
from search.study.trial import Outcome, Pruned, Trial
from search.study.variants import Variant
from search.tasks.images.options import NONE_KEPT, options_of
from search.tasks.images.specifying import spec_of as specified
from search.tasks.images.specifying import task_of
from tests.outcomes import outcome_of

NAME = "ages"

_PARTS = ("box", "ranges", "finalists", "experiment", "enqueued", "seed", "max_attempts", "sampler")
"""Parts of a study that tests give as values, and not as settings."""


def spec_of(*stages, **given):
    """Return the study of images that has those settings, as on a dataset with the digest `dataset`."""
    own = {name: value for name, value in given.items() if name in _PARTS}
    plain = {name: value for name, value in given.items() if name not in (*own, "dataset", "unit", "network")}
    plain.pop("trials", None)
    settings = Settings(**({"precision": "float32", "finalists": 0} | plain))
    info = SimpleNamespace(digest=given.get("dataset", "0f"), unit=given.get("unit", "years"))
    made = specified(settings, info, settings.precision)
    task = task_of(settings, info, settings.precision, given.get("network"))
    return replace(made, task=task, **({"seed": 1, "trials": given.get("trials", stages or (1,))} | own))


def finalist_budget(configurations, repeats, images=500, epochs=5):
    """Return finalists of images."""
    return FinalistBudget(configurations, repeats, {"images": images, "epochs": epochs})


def variant(name, params, images, epochs, repeats, curve="validation", group="", keeping=NONE_KEPT):
    """Return a variant of images."""
    return Variant(name, params, {"images": images, "epochs": epochs}, repeats, options_of(curve, keeping), group)


@cache
def _empty_storage() -> bytes:
    """An SQLite file with the tables alone; a copy of it takes a tenth of the time that making one does."""
    with TemporaryDirectory() as folder:
        create_storage(f"sqlite:///{folder}/study.db").engine.dispose()
        return Path(folder, "study.db").read_bytes()


def in_memory() -> TemporaryDirectory:
    """A directory on a file system in memory where there is one: a commit to a disk costs a busy machine 20 ms."""
    shared = Path("/dev/shm")  # noqa: S108  (the directory made in it is private)
    return TemporaryDirectory(dir=shared if shared.is_dir() else None)


def empty_file(folder: Path) -> str:
    """Put a storage without studies into a folder, and return its URL."""
    Path(folder, "study.db").write_bytes(_empty_storage())
    return f"sqlite:///{folder}/study.db"


def new_storage(folder: Path) -> Storage:
    quieten_optuna()
    return open_storage(empty_file(folder))


def new_study(folder: Path, spec: StudySpec) -> Study:
    return create_or_resume(new_storage(folder), NAME, spec)


def value_of(params, seeds):
    return 10 + abs(params["learning_rate"] - 1e-4) + params["l2"] + seeds.subset / 2**40


def run_trial(trial: Trial) -> Outcome:
    value = value_of(trial.params, trial.seeds)
    return outcome_of(value, value, 1.0, 0.5)


def run_with_errors(trial: Trial) -> Outcome | Pruned:
    """Run a trial whose errors after each epoch fall towards its value, and that is ended where there is a reason."""
    outcome, epochs = run_trial(trial), trial.budget["epochs"]
    for epoch in range(1, epochs + 1):
        trial.report(epoch, outcome.score * (1 + 1 / epoch))
        if epoch < epochs and (reason := trial.should_prune()):
            return Pruned(reason, epoch)
    return outcome


def expected(spec: StudySpec) -> dict:
    """Stage and slot of every trial to its parameters and value, computed without any storage."""
    box, all_trials = spec.box, {}
    for stage, count in enumerate(spec.trials, start=1):
        finished = []
        for slot in range(count):
            seeds = trial_seeds(spec.seed, stage, slot)
            params = box.at(uniforms(seeds.parameters, len(box.ranges)))
            all_trials[stage, slot] = (params, value_of(params, seeds))
            finished.append(FinishedTrial(slot, slot, all_trials[stage, slot][1], params))
        box = narrow(box, finished).new
    return all_trials | expected_finalists(spec, all_trials)


def expected_of_one(spec: StudySpec) -> dict:
    """The same where the sampler learns and one worker alone runs one slot after another."""
    box, all_trials, seen = spec.box, {}, []
    for stage, count in enumerate(spec.trials, start=1):
        plan = Sampled(count, box, None, spec.budget, (), spec.sampler)
        finished = []
        for slot in range(count):
            given = plan.assignment(spec.seed, stage, slot, seen)
            value = value_of(given.params, given.seeds)
            all_trials[stage, slot] = (given.params, value)
            seen.append(Seen(stage, slot, given.params, ended=True, score=value))
            finished.append(FinishedTrial(slot, slot, value, given.params))
        box = narrow(box, finished).new
    return all_trials | expected_finalists(spec, all_trials)


def expected_finalists(spec: StudySpec, sampled: dict) -> dict:
    """The same for the finalists: the best configurations in turn, once with each of the stage's first seeds."""
    if spec.finalists is None:
        return {}
    best = sorted(sampled.values(), key=lambda trial: trial[1])[: spec.finalists.configurations]
    stage, rounds = len(spec.trials) + 1, range(spec.finalists.repeats)
    trials = [(params, value_of(params, trial_seeds(spec.seed, stage, turn))) for turn in rounds for params, _ in best]
    return {(stage, slot): trial for slot, trial in enumerate(trials)}


def finished(study: Study) -> list:
    """Stage, slot, parameters and value of every finished trial in Optuna's tables, in order."""
    trials = study.storage.rdb.get_all_trials(study.id, deepcopy=False)
    done = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    places = [((trial.user_attrs["stage"], trial.user_attrs["slot"]), (trial.params, trial.value)) for trial in done]
    return sorted(places, key=lambda place: place[0])


def running(study: Study) -> list:
    return study.storage.rdb.get_all_trials(study.id, deepcopy=False, states=(TrialState.RUNNING,))


def reopen(url: str, name: str = NAME) -> Study:
    quieten_optuna()
    return load_study(open_storage(url), name)


def work_to_the_end(url: str) -> None:
    study = reopen(url)
    work(Slots(study), run_trial, Event())
    study.storage.engine.dispose()


def work_slowly(url: str, ready, run=run_trial) -> None:
    """Work to the end on trials that take a while, the first of them until an event or a barrier is `ready`."""
    wait = cache(ready.wait)

    def run_slowly(trial: Trial) -> Outcome | Pruned:
        wait()
        Event().wait(0.05)
        return run(trial)

    work(Slots(reopen(url)), run_slowly, Event())


def work_hastily(url: str, trial_seconds: float, all_at_work) -> None:
    """Work to the end on trials that take so long, the first until all workers have one.

    Raises AssertionError if a user was told of anything meanwhile.
    """
    told: list[str] = []
    wait = cache(all_at_work.wait)
    for name in ("search.run.loop", "search.study.lease", "search.storage.retry"):
        logging.getLogger(name).addFilter(lambda record: told.append(record.getMessage()) or False)

    def run_hastily(trial: Trial) -> Outcome:
        wait()
        Event().wait(trial_seconds)
        return run_trial(trial)

    work(Slots(reopen(url)), run_hastily, Event())
    assert told == []


def work_and_die(url: str, point: str, call: int) -> None:
    """Work until just after, or before, the given call of a step such as "after search.study.slots:Slots.claim"."""
    study = reopen(url)
    die_at(point, call)
    work(Slots(study), run_trial if study.spec.pruning == "none" else run_with_errors, Event())


def die_at(point: str, call: int) -> None:
    """Kill this process just after, or before, the given call of a step."""
    when, _, path = point.partition(" ")
    module, _, attributes = path.partition(":")
    *owners, name = attributes.split(".")
    owner = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    step, calls = getattr(owner, name), iter(range(1, call))

    def deadly(*args, **kwargs):
        last = next(calls, None) is None
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = step(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def work_through_faults(url: str, name: str, lease_seconds: float, signs, clock, fate: tuple[str | None, int]) -> None:
    """Work to the end, unless its fate is to die at a call; `signs` counts its trials and its late results.

    The database's clock is `clock.value` seconds off.
    """
    study, (point, call) = reopen(url, name), fate
    if study.storage.engine.dialect.name == "sqlite":
        move_clock(study.storage.engine, clock)
    if point == "before a statement":
        die_before_statement(study.storage.engine, call)
    elif point:
        die_at(point, call)

    def count(trial: Trial) -> Outcome:
        signs[0] += 1
        return run_trial(trial)

    def count_refused(record: logging.LogRecord) -> bool:
        signs[1] += "no longer counts" in record.getMessage()
        return False

    logging.getLogger("search.run.loop").addFilter(count_refused)
    work(Slots(study, lease_seconds), count, Event())


def die_before_statement(engine: Engine, number: int) -> None:
    """Kill this process before it sends the database its next statement, or the `number`-th."""
    left = iter(range(1, number))

    def deadly(*_args) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("before_cursor_execute", "commit"):
        event.listen(engine, moment, deadly)


def move_clock(engine: Engine, clock) -> None:
    """Let SQLite's clock be `clock.value` seconds off in this process, by the function that it tells the time with."""

    def julian_day(_now: str) -> float:
        return 2440587.5 + (time.time() + clock.value) / 86400

    event.listen(engine, "connect", lambda connection, _record: connection.create_function("julianday", 1, julian_day))
    engine.dispose()  # connections that were opened before have the real one


def create_at_once(url: str, barrier, spec: StudySpec) -> None:
    barrier.wait()
    quieten_optuna()
    create_or_resume(create_storage(url), NAME, spec)


def open_next_at_once(url: str, barrier, done: int) -> None:
    study = reopen(url)
    barrier.wait()
    open_next(study, done)


def hang_in_a_trial(url: str, entered, leave, refused) -> None:
    """Work with one trial that waits for `leave`, whatever it is told; set `refused` if its result does not count."""
    stop = Event()

    def hang(trial: Trial) -> Outcome:
        entered.set()
        leave.wait()
        stop.set()
        return run_trial(trial)

    def tell(record: logging.LogRecord) -> bool:
        if "no longer counts" in record.getMessage():
            refused.set()
        return False

    logging.getLogger("search.run.loop").addFilter(tell)
    work(Slots(reopen(url)), hang, stop)
