"""Studies whose workers are killed, stopped and misled about the time, again and again; each must end exact.

`make chaos` runs it for ten minutes, and then hurries through 2,000 slots. It prints what was survived, a line for each
seed and one for all, and OK at the end; or it ends with an error in the line of the seed that brought a study to a
wrong end.
"""

import argparse
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from ctypes import c_double, c_int
from dataclasses import dataclass, field, fields
from itertools import count
from multiprocessing.sharedctypes import RawArray, RawValue
from pathlib import Path

from search.storage.database import quieten_optuna
from tests.integration import fake_study as fake
from tests.integration.exactness import assert_exact, takeovers
from tests.integration.fake_study import finalist_budget
from tests.integration.hurrying import hurry
from tests.integration.warm_processes import warm_processes
from tests.waiting import until

KILLS = 50
"""Of one seed at least, after which the next one's studies begin."""

WORKERS = 4
LEASE_SECONDS = 1.0
STAGES, FINALISTS = (15, 12), finalist_budget(2, 2, images=100, epochs=1)
LONGEST_LIFE = 0.05
"""Seconds at most from the beginning of a trial until its worker is killed; about as long as a slot takes."""

POINTS = (
    "before search.study.slots:Slots.claim",
    "before search.study.claiming:create_trial",
    "after search.study.claiming:create_trial",
    "after search.study.claiming:add_params",
    "after search.study.slots:Slots.claim",
    "before search.study.slots:Slots.finish",
    "after search.study.trials:end_trial",
    "before search.study.trials:add_attributes",
    "after search.study.trials:finish",
    "after search.study.slots:Slots.finish",
    "before search.study.claiming:release",
    "after search.study.claiming:release",
    "before search.study.slots:open_next",
    "after search.study.stages:_insert",
    "after search.study.slots:open_next",
)
"""Steps of a worker, between and within which it may die. Those of opening a stage come once a stage."""

STATEMENT = "before a statement"
"""Or a commit, of the fifteen or so that a slot takes."""


@dataclass(slots=True)
class Tally:
    """What was done, and what came of it."""

    studies: int = 0
    slots: int = 0
    kills: int = 0
    points: Counter = field(default_factory=Counter)
    stops: int = 0
    clock_jumps: int = 0
    takeovers: int = 0
    refused: int = 0

    def __add__(self, other):
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def __str__(self):
        return (
            f"{self.kills} kills, {self.points.total()} of them at {len(self.points)} chosen steps and the others at "
            f"any moment; {self.stops} workers stopped beyond their lease, {self.clock_jumps} jumps of the clock; "
            f"{self.takeovers} takeovers, {self.refused} late results refused; "
            f"{self.studies} studies with {self.slots} slots, all of them exact"
        )


def disturb_studies(context, storage, seed, kills):
    """Disturb one study after another until so many workers have been killed, and every kind of fault has come.

    Raises AssertionError if a study goes wrong.

    The seed decides what is done, in which order and after how long; when the machine gets round to it, it does not.
    """
    dice, tally = random.Random(seed), Tally()  # noqa: S311  (faults, no secrets)
    clock = storage.engine.dialect.name == "sqlite"  # a server has its own
    while tally.kills < kills or not tally.stops or (clock and not tally.clock_jumps):
        spec = fake.spec_of(*STAGES, seed=tally.studies, finalists=FINALISTS)
        study = fake.create_or_resume(storage, f"study {tally.studies}", spec)
        _Disturbance(context, study, dice, tally).run()
        assert_exact(study)
        tally.takeovers += takeovers(study)
        tally.studies, tally.slots = tally.studies + 1, tally.slots + sum(spec.stage_sizes)
    return tally


class _Worker:
    """A worker process, and what it lets us know: whether it has begun a trial, and its results that came too late."""

    def __init__(self, context, study, clock, fate, trials):
        self.fate, self._trials, self._signs = fate, trials, RawArray(c_int, 2)
        arguments = (study.storage.url, study.name, LEASE_SECONDS, self._signs, clock, fate)
        self.process = context.Process(target=fake.work_through_faults, args=arguments)
        self.process.start()

    @property
    def ripe(self):
        """Whether it may be killed or stopped: it has begun as many trials as it was meant to, or has ended already."""
        return self._signs[0] >= self._trials or self.process.exitcode is not None

    @property
    def refused(self):
        return self._signs[1]


class _Disturbance:
    """The workers of one study, and the faults that they are put to until it is done."""

    def __init__(self, context, study, dice, tally):
        self._context, self._study, self._dice, self._tally = context, study, dice, tally
        self._clock, self._killed = RawValue(c_double, 0), set()
        self._faults = {self._kill_one: 10, self._kill_all: 3, self._stop_one: 1}
        if study.storage.engine.dialect.name == "sqlite":
            self._faults[self._move_clock] = 1
        self._workers = [self._start() for _ in range(WORKERS)]

    def run(self):
        try:
            while not self._done():
                fault, *_ = self._dice.choices(list(self._faults), list(self._faults.values()))
                fault()
            for worker in self._workers:
                worker.process.join()
                self._count(worker)
        finally:
            self._kill(*self._workers)

    def _start(self):
        """Start a worker: it will die at a point, or before any statement of its first slots, or when it is killed."""
        point, statement, nothing = (self._dice.choice(POINTS), 2), (STATEMENT, self._dice.randint(1, 40)), (None, 0)
        fate, trials = self._dice.choice((point, statement, nothing)), self._dice.randint(1, 2)
        return _Worker(self._context, self._study, self._clock, fate, trials)

    def _done(self):
        """Put new workers in the place of the dead, until one has ended by itself: that is when the study is done."""
        ended = [worker for worker in self._workers if worker.process.exitcode is not None]
        self._workers = [worker for worker in self._workers if worker not in ended]
        for worker in ended:
            self._count(worker)
        if any(worker.process.exitcode == 0 for worker in ended):
            return True
        self._workers += [self._start() for _ in ended]
        return False

    def _count(self, worker):
        code = worker.process.exitcode
        assert code in (0, -signal.SIGKILL), f"a worker ended with {code}"
        self._tally.refused += worker.refused
        self._tally.kills += code != 0
        if code != 0 and worker not in self._killed:
            self._tally.points[worker.fate[0]] += 1

    def _kill_one(self):
        self._kill(*self._living(self._dice.choice(self._workers)))

    def _kill_all(self):
        self._kill(*self._living(*self._workers))

    def _stop_one(self):
        steady = [worker for worker in self._workers if worker.fate[0] is None]
        (worker,) = self._living(self._dice.choice(steady or self._workers))
        if worker.process.exitcode is not None:
            return
        with suppress(ProcessLookupError):  # where its fate is to die just now
            os.kill(worker.process.pid, signal.SIGSTOP)
            worker.process.join(1.5 * LEASE_SECONDS)
            os.kill(worker.process.pid, signal.SIGCONT)
            self._tally.stops += 1

    def _move_clock(self):
        self._clock.value += self._dice.choice((-4000, -40, 40, 4000))
        self._tally.clock_jumps += 1

    def _living(self, *workers):
        """Wait for each of the workers to begin its first or second trial, and a moment longer; returns them."""
        for worker in workers:
            until(lambda worker=worker: worker.ripe, "a trial")
        workers[0].process.join(self._dice.uniform(0, LONGEST_LIFE))
        return workers

    def _kill(self, *workers):
        self._killed.update(workers)
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()


def main():
    """Disturb studies for a while, then let 8 workers hurry through 2,000 slots; prints what was survived."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    quieten_optuna()
    print(f"{asked.minutes:g} minutes, from seed {asked.seed} on: {WORKERS} workers a study, a line for each seed")
    context, end, total = warm_processes(), time.monotonic() + 60 * asked.minutes, Tally()
    with fake.in_memory() as folder:
        for seed in count(asked.seed):
            storage = fake.new_storage(_new_folder(folder, seed))
            print(f"seed {seed}: ", end="", flush=True)
            total += (tally := disturb_studies(context, storage, seed, KILLS))
            print(tally, flush=True)
            storage.engine.dispose()
            if time.monotonic() > end:
                break
        print(f"in all: {total}", flush=True)
        print(hurry(context, fake.new_study(_new_folder(folder, "hurry"), fake.spec_of(1000, 1000))))
    print("OK: every study came to what it comes to undisturbed, and every file is sound")


def _new_folder(folder, name):
    place = Path(folder, str(name))
    place.mkdir()
    return place


if __name__ == "__main__":
    main()
