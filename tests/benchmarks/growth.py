"""How cost grows: with workers, with finished trials in the storage, and with trials in one worker's life.

    python tests/benchmarks/growth.py --data F.h5 --out growth.json

It prints trials an hour with one worker and with one a core, the seconds from the start of a worker to its first
trial's end, the seconds a trial spends in the storage with 10, 1,000 and 10,000 finished ones, and a worker's memory
after 1, 20 and 200 trials (of 32 images and one epoch).
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import psutil
from big_study import make_big
from race import Contender

from model.engine.device import usable_cores
from search.run.loop import work
from search.study.slots import Slots
from search.study.study import Study
from search.study.trial import Outcome, Trial
from tests.outcomes import outcome_of


def scaling(data: Path, images: int, epochs: int, rounds: int) -> dict[str, Any]:
    """Measure one worker against one a core, in turns."""
    with tempfile.TemporaryDirectory() as folder:

        def contender(count: int) -> Contender:
            worker = ["ours.py", str(data), str(images), str(epochs), f"sqlite:///{folder}/{count}.db", "1"]
            return Contender(f"{count} workers", [worker] * count)

        one, all_cores = contender(1), contender(usable_cores())
        for each in (one, all_cores):
            each.start()
        for _ in range(rounds):
            one.turn()
            all_cores.turn()
        for each in (one, all_cores):
            each.stop()
    pairs = zip(all_cores.trials_an_hour(), one.trials_an_hour(), strict=True)
    return {
        "workers": usable_cores(),
        "trials an hour": [one.trials_an_hour(), all_cores.trials_an_hour()],
        "ratios": [many / single for many, single in pairs],
        "first trial seconds": one.start_seconds,
    }


class Stopwatch:
    """A trial that takes no time: what passes between two of them is the storage's."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.gaps: list[float] = []
        self._stop = Event()

    def turn(self, trials: int) -> None:
        """Let a worker run some trials, and keep the seconds from one to the next."""
        began: list[float] = []

        def run(_trial: Trial) -> Outcome:
            began.append(time.perf_counter())
            if len(began) == trials:
                self._stop.set()
            return outcome_of(20.0, 20.0, 1.0, 0.1)

        self._stop.clear()
        work(Slots(self.study), run, self._stop)
        self.gaps += [later - earlier for earlier, later in itertools.pairwise(began)]


def storage_seconds(counts: Sequence[int], rounds: int = 5, turn: int = 20) -> dict[int, float]:
    """Measure, in turns, the median seconds of a trial's storage in studies of `counts` finished trials each."""
    with tempfile.TemporaryDirectory() as folder:
        studies = [make_big(f"sqlite:///{folder}/{count}.db", "bench", count, rounds * turn) for count in counts]
        watches = [Stopwatch(study) for study in studies]
        for _ in range(rounds):
            for watch in watches:
                watch.turn(turn)
    return {count: statistics.median(watch.gaps) for count, watch in zip(counts, watches, strict=True)}


def memory(data: Path, counts: Sequence[int]) -> dict[int, dict[str, float]]:
    """Return a worker's memory, in MiB, around each of `counts` trials of 32 images and one epoch.

    Its peak so far, and what it holds between two trials: the median of up to ten, as it varies by a tenth.
    """
    with tempfile.TemporaryDirectory() as folder:
        worker = Contender("memory", [["ours.py", str(data), "32", "1", f"sqlite:///{folder}/memory.db", "1"]])
        worker.start()
        process = psutil.Process(worker.processes[0].pid)
        peaks, held = [], []
        for _ in range(max(counts)):
            peaks.append(worker.turn()[0]["memory"])
            held.append(process.memory_info().rss / 2**20)
        worker.stop()
    return {
        count: {"peak": peaks[count - 1], "held": statistics.median(held[max(0, count - 10) : count])}
        for count in counts
    }


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--small", type=Path, help="the dataset for the memory measurement; else --data")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--finished", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--trials", type=int, nargs="+", default=[1, 20, 200])
    parser.add_argument("--out", type=Path, default=Path("runs/growth.json"))
    given = parser.parse_args()
    figures = {
        "scaling": scaling(given.data.absolute(), given.images, given.epochs, given.rounds),
        "storage seconds a trial": storage_seconds(given.finished),
        "memory MiB": memory((given.small or given.data).absolute(), given.trials),
    }
    found = figures["scaling"]
    one, many = map(statistics.median, found["trials an hour"])
    print(
        f"1 worker {one:.0f} trials an hour, {found['workers']} workers {many:.0f}: "
        f"{statistics.median(found['ratios']):.2f} times"
    )
    print(f"{found['first trial seconds']:.1f} s from a worker's start to its first trial's end")
    for count, seconds in figures["storage seconds a trial"].items():
        print(f"storage at {count:>6} finished trials: {seconds * 1000:.1f} ms a trial")
    for count, mebibytes in figures["memory MiB"].items():
        print(f"memory after {count:>4} trials: {mebibytes['held']:.0f} MiB, {mebibytes['peak']:.0f} at its peak")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
