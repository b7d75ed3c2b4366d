"""Eight workers that hurry through a study of short trials, all of them writing to one storage nearly all the time."""

import time
from dataclasses import dataclass

from tests.integration import fake_study as fake
from tests.integration.exactness import assert_exact

WORKERS = 8
TRIAL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Hurry:
    """How many slots were done in how many seconds."""

    slots: int
    seconds: float

    def __str__(self):
        rate = self.slots / self.seconds
        return (
            f"{WORKERS} workers, trials of {TRIAL_SECONDS * 1000:g} ms: {self.slots} slots, exact, {rate:.1f} a second"
        )


def hurry(context, study):
    """Do all of a study's slots with eight workers; raises AssertionError if one of them fails or anything is wrong."""
    start, all_at_work = time.monotonic(), context.Barrier(WORKERS)
    arguments = (study.storage.url, TRIAL_SECONDS, all_at_work)
    workers = [context.Process(target=fake.work_hastily, args=arguments) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.monotonic() - start
    assert [worker.exitcode for worker in workers] == [0] * WORKERS
    assert_exact(study)
    return Hurry(sum(study.spec.stage_sizes), seconds)
