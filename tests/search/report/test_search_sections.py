import math

import pytest

from search.report.paper import TABLE_2
from search.report.search_sections import search_section, table_2
from search.report.sections import LeftOut, Listing
from search.report.study_trials import frozen_trials, shown
from search.storage import quieten_optuna
from search.trials import TrialOutcome
from tests.integration.fake_study import expected
from tests.search.tiny import work_off, work_some


@pytest.fixture(autouse=True)
def quiet():
    quieten_optuna()


def test_table_2_has_the_best_five_and_below_them_the_papers(study_of):
    study = study_of(4, 3)
    work_off(study)
    rows = table_2([shown(trial) for trial in frozen_trials(study)]).rows
    best = sorted(expected(study.spec).values(), key=lambda each: each[1])[:5]
    assert [row[2] for row in rows[:5]] == [value for _, value in best]
    assert [row[4:] for row in rows[:5]] == [
        (math.log10(params["learning_rate"]), math.log10(params["l2"])) for params, _ in best
    ]
    paper = [("paper", "2", t.validation_loss, t.training_loss, t.log_learning_rate, t.log_l2) for t in TABLE_2]
    assert list(rows[5:]) == paper


def test_table_2_says_so_where_the_penalty_counts(study_of):
    study = study_of(1)
    work_off(study, lambda _task: TrialOutcome(9.5, 9.0, 8.0, 0.5, 3.0))
    table = table_2([shown(trial) for trial in frozen_trials(study)])
    assert table.columns[2].heading == "validation MAE + penalty (years)"


def test_a_finished_search_is_shown_with_every_figure_and_the_reason_of_its_boxes(study_of, table_of):
    study = study_of(12, 3)
    work_off(study)
    section = search_section(study)
    assert section.text[0].startswith("Study ages: 15 of 15 trials have finished, 15 of them with a value. ")
    assert section.text[1] == "No trial has reported an error before its end, so there are no trial curves."
    assert [part.name for part in section.parts if not isinstance(part, Listing)] == [
        "table-2-search",
        "search-map",
        "search-map",
        "search-scores",
        "search-parallel",
        "search-importances",
        "search-importances",
    ]
    (narrowing,) = (part for part in section.parts if isinstance(part, Listing))
    assert narrowing.caption == "How the box of stage 2 came about."
    assert "the 6 best of 12 finished trials span" in narrowing.text
    assert len(table_of(section, "search-map").rows) == 15
    assert {row[0] for row in table_of(section, "search-importances").rows} == {1}


def test_a_search_that_goes_on_is_shown_as_far_as_it_is(study_of):
    study = study_of(4, 3)
    work_some(study, 2)
    section = search_section(study)
    assert section.text[0].startswith("Study ages: 2 of 7 trials have finished")


def test_a_study_without_a_value_is_left_out(study_of):
    left_out = search_section(study_of(2))
    assert isinstance(left_out, LeftOut)
    assert left_out.reason.startswith("the study 'ages' has no finished trial with a value yet")
