"""What a trial costs the storage, with one worker and with many, in small studies and in large ones.

    python tests/benchmarks/storage.py --out storage.json [--before A_CHECKOUT] [--only one,growth]

Trials take no time or sleep; all else is the real code. `one` runs one worker in turns with the code before, if it is
given, and with Optuna's own `optimize`, on the disk and on a file system in memory; `many` has 1 to 128 workers in
SQLite; `growth` fills studies of 10 to 100,000 trials; `postgresql` has the same workers on a server of its own, and
`pooler` five hundred with trials of twenty seconds, through PgBouncer with twenty connections to that server.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from big_study import make_big

from search.dashboard.serving import Pages
from search.study.slots import Slots
from tests import pooler, postgres

WORKER = Path(__file__).with_name("storage_worker.py")
PROCESSES = 4
LONG = 0.5


def run(way: str, url: str, trials: int, seconds: float = 0.0, workers: int = 1, root: Path = Path()) -> Any:
    """Start one process of simulated workers, of the code in `root`."""
    python = root / ".venv" / "bin" / "python"
    command = [str(python.absolute()) if python.exists() else sys.executable, str(WORKER)]
    command += [way, url, str(trials), str(seconds), str(workers)]
    environment = os.environ | {"PYTHONPATH": str(root.absolute())}
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environment, text=True)


def measured(process: Any) -> dict[str, Any]:
    """Wait for a process and return what it measured; raises CalledProcessError where it failed."""
    text, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    found: dict[str, Any] = json.loads(text or "{}")
    return found


def a_second(found: dict[str, Any]) -> float:
    """Return the trials a second from the first one's beginning to the end."""
    return len(found["began"]) / (found["ended"] - found["began"][0])


@contextmanager
def places() -> Iterator[dict[str, Path]]:
    """A folder on the disk, and one in memory where there is such a file system."""
    shared = Path("/dev/shm")  # noqa: S108  (the folder made in it is private)
    folders = {"disk": Path(tempfile.mkdtemp(dir=Path.cwd()))}
    if shared.is_dir():
        folders["memory"] = Path(tempfile.mkdtemp(dir=shared))
    try:
        yield folders
    finally:
        for folder in folders.values():
            shutil.rmtree(folder)


def one(before: Path | None, trials: int, rounds: int) -> dict[str, Any]:
    """Trials a second of one worker, in turns."""
    roots = {"now": Path()} | ({"before": before} if before else {})
    rates: dict[str, dict[str, list[float]]] = {}
    with places() as folders:
        for _ in range(rounds):
            for place, folder in folders.items():
                found = rates.setdefault(place, {})
                for name, root in roots.items():
                    url = f"sqlite:///{folder}/{name}-{time.time()}.db"
                    measured(run("create", url, 10 * trials, root=root))
                    found.setdefault(name, []).append(a_second(measured(run("loop", url, trials, root=root))))
                found.setdefault("optuna", []).append(a_second(measured(run("optuna", url, trials // 2, root=root))))
    for place, found in rates.items():
        now = found["now"]
        for name, others in found.items():
            times = statistics.median(a / b for a, b in zip(now, others, strict=True))
            say(f"one worker, {place}: {name} {statistics.median(others):.1f} trials/s; now is {times:.1f} times that")
    return rates


def many(url: str, counts: list[int], seconds: float, length: float = LONG) -> dict[int, Any]:
    """Trials a second of so many workers with trials of a `length`, and the milliseconds of their steps."""
    rates = {}
    measured(run("create", url, 100_000))
    for workers in counts:
        share = max(1, workers // PROCESSES)
        trials = max(2, int(seconds / length)) * share
        team = [run("slots", url, trials, length, share) for _ in range(min(workers, PROCESSES))]
        found = [measured(process) for process in team]
        # While all are at work: processes begin and end one after another.
        start, end = max(one["began"][0] for one in found), min(one["began"][-1] for one in found)
        rate = sum(start <= moment < end for one in found for moment in one["began"]) / (end - start)
        steps = {step: [one_step for one in found for one_step in one["steps"][step]] for step in ("claim", "finish")}
        figures = {step: percentiles(values) for step, values in steps.items()}
        rates[workers] = {"trials a second": rate, "possible": workers / length, **figures}
        say(f"{workers} workers, {length} s a trial: {rate:.1f} of {workers / length:.0f} trials/s; {figures}")
    return rates


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return the median and the 99th of a hundred, in milliseconds."""
    ordered = sorted(seconds)
    return {
        "median ms": round(1000 * ordered[len(ordered) // 2], 2),
        "p99 ms": round(1000 * ordered[-len(ordered) // 100], 2),
    }


def growth(sizes: list[int], trials: int, rounds: int) -> dict[int, Any]:
    """What a trial costs, how large the file is and how long looking takes, in studies of so many finished trials."""
    found: dict[int, Any] = {}
    with places() as folders:
        folder = folders.get("memory", folders["disk"])
        urls = {size: f"sqlite:///{folder}/{size}.db" for size in sizes}
        studies = {size: make_big(url, "bench", size, rounds * trials + 1) for size, url in urls.items()}
        steps: dict[int, dict[str, list[float]]] = {size: {"claim": [], "finish": []} for size in sizes}
        for _ in range(rounds):
            for size, url in urls.items():
                for step, values in measured(run("slots", url, trials))["steps"].items():
                    steps[size][step] += values
        for size, study in studies.items():
            command = (
                sys.executable,
                "-P",
                "-m",
                "search",
                "status",
                "--storage",
                study.storage.url,
                "--study",
                "bench",
            )
            looks = {
                "status": lambda command=command: subprocess.run(command, check=True, stdout=subprocess.DEVNULL),
                "tally": lambda study=study: Slots(study).tally(),
                "dashboard": lambda study=study: Pages(study.storage.url, None),
            }
            cost = sum(statistics.median(values) for values in steps[size].values())
            found[size] = {"ms a trial": 1000 * cost, "claim": percentiles(steps[size]["claim"])}
            found[size] |= {f"{name} s": timed(look) for name, look in looks.items()}
            found[size]["MiB"] = Path(study.storage.engine.url.database).stat().st_size / 2**20
            say(f"{size} finished trials: {found[size]}")
    return found


def timed(look: Any) -> float:
    """Return the seconds that something takes."""
    start = time.perf_counter()
    look()
    return time.perf_counter() - start


@contextmanager
def durable_server() -> Iterator[Any]:
    """A server of PostgreSQL, durable and on the disk."""
    postgres._SETTINGS = ("listen_addresses=", "max_connections=200", "log_min_messages=error")
    with places() as folders:
        folders["disk"].chmod(0o755)
        postgres._in_memory = lambda: folders["disk"]
        with postgres.running_server() as server:
            yield server


def on_postgresql(counts: list[int], seconds: float) -> dict[int, Any]:
    """The same workers on a server of its own."""
    with durable_server() as server, server.database("bench") as url:
        return many(url, counts, seconds)


def through_a_pooler(workers: int = 500, length: float = 20.0) -> dict[int, Any]:
    """Workers with a connection each to PgBouncer, which has twenty to the server."""
    with (
        durable_server() as server,
        server.database("bench"),
        pooler.running_pooler(server, "transaction") as before,
    ):
        return many(before.url("bench"), [workers], 3 * length, length)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="a checkout of the code to compare with, with its own .venv")
    parser.add_argument("--only", default="one,many,growth,postgresql,pooler", help="default: %(default)s")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8, 32, 64, 128])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 1_000, 10_000, 100_000])
    parser.add_argument("--trials", type=int, default=100, help="of a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number of workers (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("runs/storage.json"))
    given = parser.parse_args()
    wanted, figures = given.only.split(","), {}
    if "one" in wanted:
        figures["one worker"] = one(given.before, given.trials, given.rounds)
    if "many" in wanted:
        with places() as folders:
            for place, folder in folders.items():
                say(f"SQLite, {place}")
                figures[f"sqlite, {place}"] = many(f"sqlite:///{folder}/study.db", given.workers, given.seconds)
    if "growth" in wanted:
        figures["growth"] = growth(given.sizes, given.trials, given.rounds)
    if "postgresql" in wanted:
        figures["postgresql"] = on_postgresql(given.workers, given.seconds)
    if "pooler" in wanted:
        figures["pooler"] = through_a_pooler()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
