"""What workers on a Ray cluster do in the tests: a study whose trials wait at gates, and no network."""

import time
from pathlib import Path

from search.errors import SearchError, TrialStopped
from search.run.loop import work
from search.run.stopping import stop_on_signals
from search.study.slots import Slots
from tests.integration import fake_study

FIRST = 6
"""Slots whose trials wait for the first gate; all others wait for the second."""


def gates(data):
    """The files whose being there opens the gates."""
    return data.with_name("first gate"), data.with_name("second gate")


def serve(order):
    """Work on the study, whose trials end when their gate is open or their worker is stopped."""

    def wait(trial):
        gate = gates(Path(order.settings["data"]))[trial.stage > 1 or trial.slot >= FIRST]
        while not gate.exists():
            if trial.should_stop():
                raise TrialStopped
            time.sleep(0.01)
        return fake_study.run_trial(trial)

    study = fake_study.reopen(order.storage)
    with stop_on_signals() as stop:
        work(Slots(study), wait, stop)
    study.storage.engine.dispose()


def refuse(order):
    raise SearchError(f"no dataset at {order.settings['data']}")
