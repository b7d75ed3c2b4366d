import io
from dataclasses import replace

import pytest
from rich.console import Console

from search.run import progress
from search.run.progress import Display, Pace, StudyProgress, study_progress
from search.study.slots import Slots
from search.study.trial import Diverged
from tests.integration.fake_study import finalist_budget, run_trial, spec_of
from tests.search.tiny import work_off, work_some

EVEN = (1,) * 8
AGES = spec_of(1).task.score
FIRST = StudyProgress(stage="stage 1", stage_closed=0, stage_slots=4, closed=0, slots=8, best=None, score=AGES)


@pytest.fixture
def clock(monkeypatch):
    """The seconds that have passed, in a list of one, to be set."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def plain():
    return Console(file=io.StringIO(), width=200)


def test_a_study_that_has_not_begun_stands_at_nothing_of_its_first_stage(study_of):
    assert study_progress(Slots(study_of(4, 3))) == StudyProgress("stage 1", 0, 4, 0, 7, None, AGES)


def test_a_study_stands_where_its_open_stage_does(study_of):
    study = study_of(4, 3)
    work_some(study, 5)
    now = study_progress(Slots(study))
    assert (now.stage, now.stage_closed, now.stage_slots, now.closed, now.slots) == ("stage 2", 1, 3, 5, 7)
    assert now.best > 10


def test_finalists_are_a_stage_of_their_own_and_as_many_as_there_are(study_of):
    study = study_of(2, 1, finalists=finalist_budget(5, 2, 1, 1))
    assert study_progress(Slots(study)).slots == 3 + 6
    work_off(study, lambda trial: Diverged("nan") if trial.stage == 2 else run_trial(trial))
    now = study_progress(Slots(study))
    assert (now.stage, now.stage_closed, now.stage_slots, now.closed, now.slots) == ("finalists", 4, 4, 7, 7)


def test_a_finished_study_stands_at_its_end(study_of):
    study = study_of(2, 3)
    work_off(study)
    now = study_progress(Slots(study))
    assert (now.stage, now.closed, now.slots) == ("stage 2", 5, 5)


def test_a_study_whose_trials_all_diverged_has_no_best(study_of):
    study = study_of(2)
    work_off(study, lambda _trial: Diverged("nan"))
    assert study_progress(Slots(study)) == StudyProgress("stage 1", 2, 2, 2, 2, None, AGES, 1)


def test_the_best_score_is_read_again_only_where_a_slot_has_been_closed_since(study_of):
    study = study_of(2)
    work_some(study, 1)
    now = replace(study_progress(Slots(study)), best=-1.0)
    assert study_progress(Slots(study), now) == now
    work_off(study)
    assert study_progress(Slots(study), now).best > 10


def test_a_slot_closed_as_failed_counts_as_closed(study_of):
    def fail(_trial):
        raise OSError

    study = study_of(2, max_attempts=1)
    work_off(study, fail)
    assert study_progress(Slots(study)).closed == 2


@pytest.mark.parametrize(
    ("seconds", "closed", "text"),
    [
        (30, 2, "…"),
        (30, 1, "…"),  # one slot has been opened again
        (30, 3, "2.0 trials/min, 2 min left"),
        (30, 7, "10.0 trials/min, 6 s left"),
        (3600, 3, "0.0 trials/min, 5.0 h left"),
        (30, 8, "12.0 trials/min, 0 s left"),
    ],
)
def test_the_pace_counts_from_the_start_of_this_launch(seconds, closed, text, clock):
    pace = Pace(2, EVEN)
    clock[0] += seconds
    assert pace.text(StudyProgress("stage 1", closed, 4, closed, 8, None)) == text


def test_the_time_left_is_that_of_what_the_others_cost(clock):
    pace = Pace(0, (10, 10, 10, 600))
    clock[0] += 60
    assert pace.text(StudyProgress("stage 1", 2, 4, 2, 4, None)) == "2.0 trials/min, 30 min left"
    assert pace.text(StudyProgress("stage 1", 2, 3, 2, 3, None)) == "2.0 trials/min, 30 s left"  # there came fewer


def test_without_a_terminal_a_line_is_printed_whenever_a_trial_has_ended(clock):
    console = plain()
    display = Display(console, FIRST, EVEN)
    with display.shown():
        clock[0] += 30
        display.update(FIRST)
        display.update(StudyProgress("stage 1", 1, 4, 1, 8, 9.87654, AGES))
        display.update(StudyProgress("stage 1", 1, 4, 1, 8, 9.87654, AGES))
        display.update(StudyProgress("stage 2", 0, 4, 4, 8, 9.0, AGES))
    assert console.file.getvalue().splitlines() == [
        "stage 1: 1/4, best 9.877 years, 2.0 trials/min, 4 min left",
        "stage 2: 0/4, best 9.000 years, 8.0 trials/min, 30 s left",
    ]


def test_a_remark_is_printed_as_it_is_and_not_broken():
    console = plain()
    text = f"learning_rate [1e-06, 0.001] {'x' * 300}"
    Display(console, FIRST, EVEN).say(text)
    assert console.file.getvalue() == f"{text}\n"


def test_a_terminal_has_a_bar_with_the_stage_and_the_best():
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    display = Display(console, FIRST, EVEN)
    with display.shown():
        display.update(StudyProgress("stage 2", 3, 4, 7, 8, 9.87654, AGES))
    shown = console.file.getvalue()
    assert "stage 2" in shown
    assert "3/4" in shown
    assert "best 9.877 years" in shown
    assert "stage 2: 3/4" not in shown
