"""The dashboard's cost: to a running search while 20 people look at it, and to somebody who opens a large study.

    python tests/benchmarks/dashboard.py --data F.h5 --out dashboard.json

It prints trials an hour of a real search with two workers, in turns with and without clients that poll as the page
does, how the clients were answered, whether any trial failed; and the seconds until a study of 5,000 trials is open.
"""

import argparse
import http.client
import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from big_study import make_big

from search.errors import SearchError
from search.storage.database import open_storage, quieten_optuna
from search.study.study import Study, load_study
from tests.browser import chromium

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-P", "-m", "search"]
STUDY = "bench"


def command(url: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """Start one of our commands on a storage."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AGESEARCH_STORAGE": url}
    return subprocess.Popen([*PROGRAM, *arguments], env=environment, text=True, **options)


@contextmanager
def dashboard(url: str) -> Iterator[int]:
    """Serve the dashboard for the length of the block; gives its port."""
    process = command(url, "dashboard", "--port", "0", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield int(re.search(r":(\d+)/", process.stdout.readline())[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def get(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body of one request, as a browser sends it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


@dataclass(slots=True)
class Clients:
    """People who have the study's page open: it asks for what is new every few seconds, and for the importances."""

    port: int
    study: int
    count: int = 20
    seconds: float = 10.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Poll for the length of the block, each client in its own time."""
        stop = Event()
        threads = [Thread(target=self._poll, args=(stop, self.seconds * n / self.count)) for n in range(self.count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _poll(self, stop: Event, delay: float) -> None:
        finished, completed = 0, 0
        while not stop.wait(delay):
            began = time.perf_counter()
            trials = json.loads(self._get(f"/api/studies/{self.study}?after={finished}") or b'{"trials": []}')["trials"]
            states = [trial["state"] for trial in trials]
            running = next((place for place, state in enumerate(states) if state == "Running"), len(states))
            finished += running
            if new := states[:running].count("Complete"):
                completed += new
                self._get(f"/api/studies/{self.study}/param_importances")
            delay = max(self.seconds - (time.perf_counter() - began), 0.0)

    def _get(self, path: str) -> bytes:
        began = time.perf_counter()
        status, body = get(self.port, path)
        self.latencies.append(time.perf_counter() - began)
        self.statuses[status] += 1
        return body


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


def load(data: Path, clients: int, window: float, rounds: int) -> dict[str, Any]:
    """Run a real search, with and without clients in turns, and return trials an hour of both and what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/study.db"
        budget = ("--trials", "100000", "--finalists", "0", "--workers", "2", "--study", STUDY)
        search = command(
            url,
            "search",
            "--data",
            str(data),
            "--out",
            folder,
            *budget,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            study = _started(url, search)
            with dashboard(url) as port:
                people = Clients(port, study.id, clients)
                windows = _in_turns(people, window, rounds)
        finally:
            search.send_signal(signal.SIGINT)
            search.wait()
        spans, states = spans_of(study), Counter(_states(study))
    alone, watched = (pace(spans, windows[kind], 2) for kind in ("alone", "watched"))
    return {
        "clients": clients,
        "trials an hour": {"alone": alone, "watched": watched, "share": watched / alone if alone else 0.0},
        "requests": sum(people.statuses.values()),
        "statuses": dict(people.statuses),
        "latency": {"median": statistics.median(people.latencies), "worst": max(people.latencies)},
        "states": dict(states),
    }


def _started(url: str, search: "subprocess.Popen[str]") -> Study:
    """Wait until both workers are warm, each with a trial behind it."""
    quieten_optuna()
    while search.poll() is None:
        with suppress(SearchError):  # there is no storage yet, or no study in it
            study = load_study(open_storage(url, reading=True), STUDY)
            done = [trial for trial in study.storage.rdb.get_all_trials(study.id) if trial.state.is_finished()]
            if len({trial.user_attrs["worker"] for trial in done}) == 2:
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


def _in_turns(people: Clients, window: float, rounds: int) -> dict[str, list[tuple[float, float]]]:
    windows: dict[str, list[tuple[float, float]]] = {"alone": [], "watched": []}
    for _ in range(rounds):
        windows["alone"].append(_wait(window))
        with people.polling():
            windows["watched"].append(_wait(window))
    return windows


def _wait(seconds: float) -> tuple[float, float]:
    began = time.time()
    time.sleep(seconds)
    return began, time.time()


def opening(trials: int, browser: bool = True) -> dict[str, float]:
    """Measure the seconds of the page's own requests on a study of so many trials, from a server just started."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/study.db"
        study = make_big(url, STUDY, trials)
        with dashboard(url) as port:
            seconds: dict[str, float] = {}
            for name, path in {
                "page": f"/dashboard/studies/{study}",
                "script": "/static/bundle.js",
                "settings": "/api/meta",
                "study": f"/api/studies/{study}?after=0",
                "importances": f"/api/studies/{study}/param_importances",
                "study again": f"/api/studies/{study}?after={trials}",
            }.items():
                began = time.perf_counter()
                status, body = get(port, path)
                seconds[name] = time.perf_counter() - began
                if status != 200:
                    raise RuntimeError(f"{path} was answered with {status}: {body[:200]!r}")
            if browser:
                seconds["in a browser"] = _in_a_browser(f"http://127.0.0.1:{port}/dashboard/studies/{study}")
    return seconds


def _in_a_browser(address: str) -> float:
    """Return the seconds until the search map of a page is drawn in Chromium."""
    with chromium() as browser:
        page = browser.new_page()
        began = time.perf_counter()
        page.goto(address)
        page.locator("text.gtitle", has_text="Search map of").first.wait_for(timeout=120_000)
        return time.perf_counter() - began


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--window", type=float, default=120.0, help="seconds of each turn")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--out", type=Path, default=Path("runs/dashboard.json"))
    given = parser.parse_args()
    figures = {
        "opening seconds": opening(given.trials),
        "load": load(given.data.absolute(), given.clients, given.window, given.rounds),
    }
    for name, seconds in figures["opening seconds"].items():
        print(f"{given.trials} trials, {name}: {seconds:.2f} s")
    found = figures["load"]
    hourly = found["trials an hour"]
    print(
        f"trials an hour: {hourly['alone']:.0f} alone, {hourly['watched']:.0f} with {found['clients']} clients "
        f"({hourly['share']:.1%}); {found['requests']} requests, {found['statuses']}, "
        f"{found['latency']['median'] * 1000:.0f} ms in the median; trials {found['states']}"
    )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
