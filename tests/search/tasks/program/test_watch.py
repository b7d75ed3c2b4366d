"""How long a trial may go on."""

import pytest

from search.errors import TrialStopped
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.watch import PAUSE, Watch


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless it is moved: clock[0] is the time."""
    now = [100.0]
    monkeypatch.setattr("search.tasks.program.watch.time.monotonic", lambda: now[0])
    return now


def test_a_trial_may_take_its_minutes_and_no_more(trial_of, clock):
    watch = Watch(trial_of(), 2, 5.0)
    watch._begun = 100.0
    clock[0] += 119.9
    watch.look()
    assert watch.pause() == pytest.approx(0.1)
    clock[0] += 0.1
    with pytest.raises(ProgramFailure, match="2 minutes"):
        watch.look()


def test_a_trial_without_limit_goes_on(trial_of, clock):
    watch = Watch(trial_of(), None, 5.0)
    clock[0] += 1e6
    watch.look()
    assert watch.pause() == PAUSE


def test_a_program_has_a_while_to_end_a_trial_that_is_to_stop(trial_of, clock):
    watch = Watch(trial_of(should_stop=lambda: True), None, 5.0)
    watch.look()
    clock[0] += 4.9
    watch.look()
    clock[0] += 0.1
    with pytest.raises(TrialStopped):
        watch.look()
