"""A worker as the launcher starts it, whose trials take no time; its orders are in the environment.

FAKE_DEADLY is a stage and a slot, as in 1,1, whose trial kills it, and FAKE_LOSSES how many of its deaths close a slot.
FAKE_SLOW is how many seconds a trial waits for the worker to be stopped.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from threading import Event, Thread

from search.errors import TrialStopped
from search.run.launcher import stop_when_untethered
from search.run.loop import work
from search.run.stopping import stop_on_signals
from search.storage.database import open_storage, quieten_optuna
from search.study import claiming
from search.study.slots import Slots
from search.study.study import load_study
from tests.integration.fake_study import run_trial

PROGRAM = (sys.executable, str(Path(__file__)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--study")
    name = parser.parse_args().study
    quieten_optuna()
    claiming.MAX_LOSSES = int(os.environ.get("FAKE_LOSSES", claiming.MAX_LOSSES))
    with stop_on_signals() as stop:
        Thread(target=stop_when_untethered, args=(stop,), daemon=True).start()
        work(Slots(load_study(open_storage(os.environ["AGESEARCH_STORAGE"]), name)), lambda task: run(task, stop), stop)
    if stop.is_set():
        sys.exit(130)


def run(task, stop: Event):
    if f"{task.stage},{task.slot}" == os.environ.get("FAKE_DEADLY"):
        os.kill(os.getpid(), signal.SIGKILL)
    if stop.wait(float(os.environ.get("FAKE_SLOW", "0"))):
        raise TrialStopped
    return run_trial(task)


if __name__ == "__main__":
    main()
