"""The short form of the dashboard's benchmark: trials that take no time, and a small study."""

import threading
from collections import Counter

import pytest
from clients import Clients, dashboard
from dashboard import pace
from opening import opening

from search.run.loop import work
from search.study.slots import Slots
from tests.integration import fake_study
from tests.waiting import until


def test_pace_counts_the_trials_that_lie_within_the_windows():
    spans = [(0, 8), (8, 16), (16, 26), (26, 30), (0, 10), (10, 20)]
    assert pace(spans, [(0, 20)], workers=2) == pytest.approx(3600 * 2 * 4 / 36)
    assert pace(spans, [(16, 26)], workers=1) == 360
    assert pace(spans, [(1, 2)], workers=1) == 0


def test_twenty_clients_are_all_answered_while_a_search_runs_and_no_trial_fails():
    with fake_study.in_memory() as folder:
        study = fake_study.new_study(folder, fake_study.spec_of(20))
        with dashboard(study.storage.url) as port:
            people = Clients(port, study.id, count=20, seconds=0.5)

            def run(task):
                until(lambda: people.statuses.total() > task.slot, "an answer more for every trial")
                return fake_study.run_trial(task)

            with people.polling():
                work(Slots(study), run, threading.Event())
        states = Counter(trial.state.name for trial in study.storage.rdb.get_all_trials(study.id))
        study.storage.engine.dispose()
    assert states == {"COMPLETE": 20}
    assert set(people.statuses) == {200}
    assert people.statuses[200] >= 20


def test_opening_a_study_is_timed_request_by_request():
    seconds = opening(20, browser=False)
    assert {"page", "script", "study", "importances", "study again"} <= seconds.keys()
