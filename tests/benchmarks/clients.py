"""The dashboard as a process, and the people who look at it, each as the page itself asks."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-P", "-m", "search"]


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
