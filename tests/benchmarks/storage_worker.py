"""One process of simulated workers: `storage_worker.py WAY URL TRIALS SECONDS WORKERS`; prints its figures as JSON.

WAY is `loop` (the loop of a worker, one alone), `optuna` (Optuna's own `study.optimize` with as much content), or
`slots` (so many workers as threads, each with a connection of its own, who claim, report and finish). A trial reports
five values and takes SECONDS. It runs with the code before as well, which is what the pairs are made of.
"""

import json
import sys
import time
from itertools import count
from pathlib import Path
from threading import Event, Thread

import optuna

from search.storage.database import create_storage, open_storage, quieten_optuna
from search.study.slots import Slots
from search.study.stages import open_next
from search.study.study import create_or_resume, load_study

EPOCHS = range(1, 6)
SCORE = (20.0, 20.0, 1.0, 0.5)
NAME = "bench"


def outcome():
    """What a trial comes to, in the words of the code at hand."""
    try:
        from search.study.trial import Outcome
    except ImportError:
        from search.study.trials import TrialOutcome

        return TrialOutcome(*SCORE, 0.0)
    return Outcome(SCORE[0], dict(zip(("validation_mae", "training_mae", "penalty"), SCORE[1:], strict=True)))


def loop(url, trials, seconds):
    """Run trials by the loop of a worker; returns when each began."""
    from search.run.loop import work

    stop, began = Event(), []

    def run(trial):
        began.append(time.perf_counter())
        for epoch in EPOCHS:
            trial.report(epoch, 30.0 / epoch)
        time.sleep(seconds)
        if len(began) >= trials:
            stop.set()
        return outcome()

    work(Slots(load_study(open_storage(url), NAME)), run, stop)
    return {"began": began}


def by_optuna(url, trials, seconds):
    """Run trials by Optuna, with the attributes that ours have."""
    began = []

    def objective(trial):
        began.append(time.perf_counter())
        trial.suggest_float("learning_rate", 1e-6, 1e-3, log=True)
        trial.suggest_float("l2", 1e-6, 10.0, log=True)
        for name in ("stage", "slot", "attempt", "device", "seeds"):
            trial.set_user_attr(name, 1)
        for epoch in EPOCHS:
            trial.report(30.0 / epoch, epoch)
        time.sleep(seconds)
        for name, value in zip(("validation_mae", "training_mae", "penalty"), SCORE[1:], strict=True):
            trial.set_user_attr(name, value)
        return SCORE[0]

    study = optuna.load_study(
        study_name="optuna", storage=open_storage(url).rdb, sampler=optuna.samplers.RandomSampler()
    )
    study.optimize(objective, n_trials=trials)
    return {"began": began}


def slots(url, trials, seconds, workers):
    """Run trials by threads, until there have been so many or none is left; returns the seconds of each step."""
    from search.run.course import Course
    from search.study.claims import Claim
    from search.study.trials import Result

    steps, began, left = {"claim": [], "finish": []}, [], iter(range(trials))

    def timed(step, call, *arguments):
        start = time.perf_counter()
        found = call(*arguments)
        steps[step].append(time.perf_counter() - start)
        return found

    def serve(owner):
        own = Slots(load_study(open_storage(url), NAME))
        while next(left, None) is not None:
            claim = timed("claim", own.claim, owner)
            if not isinstance(claim, Claim):
                return
            began.append(time.perf_counter())
            course = Course(own, claim)
            for epoch in EPOCHS:
                course.report(epoch, 30.0 / epoch)
            time.sleep(seconds)
            timed("finish", own.finish, claim, Result(outcome(), seconds, course.waiting))

    number = count()
    threads = [Thread(target=serve, args=(f"sim/{id(steps)}/1:{next(number)}:1",)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"began": sorted(began), "steps": steps}


def main(way, url, trials, seconds, workers):
    """Measure, and print it."""
    quieten_optuna()
    sys.setswitchinterval(0.0005)  # threads stand for workers, which would not wait for one another's interpreter
    if way == "create":
        from tests.integration.fake_study import spec_of

        open_next(create_or_resume(create_storage(url), NAME, spec_of(trials)), 0)
        optuna.create_study(study_name="optuna", storage=open_storage(url).rdb)
        return
    found = slots(url, trials, seconds, workers) if way == "slots" else WAYS[way](url, trials, seconds)
    sys.stdout.write(json.dumps(found | {"ended": time.perf_counter()}))


WAYS = {"loop": loop, "optuna": by_optuna}

if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
