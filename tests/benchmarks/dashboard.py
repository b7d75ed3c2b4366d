"""The dashboard's cost: to a running search while 20 people look at it, and to somebody who opens a large study.

    python tests/benchmarks/dashboard.py --data F.h5 --out dashboard.json

It prints the seconds until a study of 5,000 trials is open; and trials an hour of a real search with two workers, in
pairs of a while without and a while with clients that poll as the page does, how the clients were answered, and whether
any trial failed. Trials are short, so that a quarter of an hour holds many of them.
"""

import argparse
import itertools
import json
import signal
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clients import Clients, command, dashboard
from opening import opening, print_opening

from data.arrays import Split
from data.dataset import make_dataset, open_dataset, write_dataset
from search.errors import SearchError
from search.storage.database import open_storage, quieten_optuna
from search.study.study import Study, load_study

STUDY = "bench"
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Trials:
    """How much work a trial is: images of the training split and their epochs, and images that it is judged by."""

    images: int
    epochs: int
    validation: int


@dataclass(frozen=True, slots=True)
class Turns:
    """How many clients look on, for how many seconds at a time, and how often."""

    clients: int
    window: float
    rounds: int


def pace(spans: Sequence[tuple[float, float]], windows: Sequence[tuple[float, float]], workers: int) -> float:
    """Return trials an hour in some windows of time, from those that lie wholly within one of them."""
    within = [end - start for start, end in spans if any(low <= start and end <= high for low, high in windows)]
    return 3600 * workers * len(within) / sum(within) if within else 0.0


def spans_of(study: Study) -> list[tuple[float, float]]:
    """Return when each trial began and when the next one of its worker did, in seconds since 1970."""
    by_worker: dict[str, list[float]] = {}
    for trial in study.storage.rdb.get_all_trials(study.id, deepcopy=False):
        by_worker.setdefault(trial.user_attrs["worker"], []).append(trial.datetime_start.timestamp())
    return [pair for starts in by_worker.values() for pair in itertools.pairwise(starts)]


def load(data: Path, trials: Trials, turns: Turns) -> dict[str, Any]:
    """Run a real search, with and without clients in turns, and return trials an hour of both and what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/study.db"
        search = command(
            url, *_search(Path(folder), data, trials), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            study = _started(url, search)
            with dashboard(url) as port:
                people = Clients(port, study.id, turns.clients)
                pairs = _in_turns(people, turns)
        finally:
            search.send_signal(signal.SIGINT)
            search.wait()
        spans, states = spans_of(study), Counter(_states(study))
    alone, watched = (pace(spans, [pair[kind] for pair in pairs], WORKERS) for kind in ("alone", "watched"))
    return {
        "trial": asdict(trials),
        "turns": asdict(turns),
        "pairs": [{kind: pace(spans, [window], WORKERS) for kind, window in pair.items()} for pair in pairs],
        "trials an hour": {"alone": alone, "watched": watched, "share": share(watched, alone)},
        "requests": sum(people.statuses.values()),
        "statuses": dict(people.statuses),
        "latency": {"median": statistics.median(people.latencies), "worst": max(people.latencies)},
        "states": dict(states),
    }


def share(watched: float, alone: float) -> float:
    """Return which part of the pace is left; 0 where none was measured."""
    return watched / alone if alone else 0.0


def _search(folder: Path, data: Path, trials: Trials) -> list[str]:
    """Return the words of a search without an end, on a dataset that is judged by its first images alone."""
    whole = open_dataset(data)
    judge = _first(whole.validation, trials.validation)
    splits = {"training": whole.training, "validation": judge, "test": _first(whole.test, 2)}
    write_dataset(folder / "data.h5", make_dataset(splits, whole.source, whole.source_digest, whole.options))
    budget = {"trials": 100000, "finalists": 0, "workers": WORKERS, "images": trials.images, "epochs": trials.epochs}
    settings = {"data": folder / "data.h5", "out": folder, "study": STUDY, "precision": "float32", **budget}
    return ["search", *(str(word) for key, value in settings.items() for word in (f"--{key}", value))]


def _first(split: Split, count: int) -> Split:
    return Split(split.images[:count], split.labels[:count], split.names[:count])


def _started(url: str, search: "subprocess.Popen[str]") -> Study:
    """Wait until both workers are warm, each with a trial behind it."""
    quieten_optuna()
    while search.poll() is None:
        with suppress(SearchError):  # there is no storage yet, or no study in it
            study = load_study(open_storage(url, reading=True), STUDY)
            done = [trial for trial in study.storage.rdb.get_all_trials(study.id) if trial.state.is_finished()]
            if len({trial.user_attrs["worker"] for trial in done}) == WORKERS:
                return study
        time.sleep(1)
    raise RuntimeError("the search ended early; run it by hand to see why")


def _states(study: Study) -> list[str]:
    trials = study.storage.rdb.get_all_trials(study.id, deepcopy=False)
    # Those that Ctrl-C ended have given their slots back, which is no failure.
    return [
        "GIVEN BACK" if str(trial.user_attrs.get("reason")).startswith("given back") else trial.state.name
        for trial in trials
    ]


def _in_turns(people: Clients, turns: Turns) -> list[dict[str, tuple[float, float]]]:
    """Return the windows of each pair; every other pair begins with the clients, so that none is always the later."""
    pairs: list[dict[str, tuple[float, float]]] = []
    for number in range(turns.rounds):
        pair = {}
        for kind in ("alone", "watched") if number % 2 == 0 else ("watched", "alone"):
            if kind == "alone":
                pair[kind] = _wait(turns.window)
            else:
                with people.polling():
                    pair[kind] = _wait(turns.window)
        pairs.append(pair)
    return pairs


def _wait(seconds: float) -> tuple[float, float]:
    began = time.time()
    time.sleep(seconds)
    return began, time.time()


def print_load(found: dict[str, Any]) -> None:
    """Print each pair, and what they come to."""
    for number, pair in enumerate(found["pairs"], start=1):
        left = share(pair["watched"], pair["alone"])
        print(f"pair {number}: {pair['alone']:.1f} trials an hour alone, {pair['watched']:.1f} watched ({left:.1%})")
    hourly, statuses, states = found["trials an hour"], found["statuses"], found["states"]
    print(
        f"all pairs: {hourly['alone']:.1f} trials an hour alone, {hourly['watched']:.1f} with "
        f"{found['turns']['clients']} clients ({hourly['share']:.1%})"
    )
    errors = sum(count for status, count in statuses.items() if status >= 500)
    print(
        f"{found['requests']} requests, {errors} answered with 5xx (all answers: {statuses}), "
        f"{found['latency']['median'] * 1000:.0f} ms in the median, {found['latency']['worst']:.1f} s at worst; "
        f"{states.get('FAIL', 0)} failed trials (all trials: {states})"
    )


def main() -> None:
    """Measure, print and keep the figures."""
    # Where a shell runs this in the background, Ctrl-C is ignored, and so it would be by what is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", choices=("opening", "load"), help="one of the two parts")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--window", type=float, default=100.0, help="seconds of each turn")
    parser.add_argument("--rounds", type=int, default=4, help="pairs of a turn without and one with clients")
    parser.add_argument("--images", type=int, default=128, help="training images of a trial")
    parser.add_argument("--epochs", type=int, default=1, help="epochs of a trial")
    parser.add_argument("--validation", type=int, default=256, help="validation images that a trial is judged by")
    parser.add_argument("--trials", type=int, default=5000, help="trials of the study that is opened")
    parser.add_argument("--out", type=Path, default=Path("runs/dashboard.json"))
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    if given.only != "load":
        figures["opening seconds"] = opening(given.trials)
        print_opening(figures["opening seconds"], given.trials)
    if given.only != "opening":
        trials = Trials(given.images, given.epochs, given.validation)
        figures["load"] = load(given.data.absolute(), trials, Turns(given.clients, given.window, given.rounds))
        print_load(figures["load"])
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
