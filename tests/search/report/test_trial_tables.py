import math

import pytest

from search.report.paper import TABLE_2
from search.report.trial_tables import finalist_table, table_2
from search.results.ranking import ranked_trials
from search.results.verdict import Finalist, Verdict
from tests.integration.fake_study import expected
from tests.outcomes import outcome_of
from tests.search.tiny import ranked, work_off


def test_table_2_has_the_best_five_and_below_them_the_papers(study_of):
    study = study_of(4, 3)
    work_off(study)
    rows = table_2(study, ranked_trials(study)).rows
    best = sorted(expected(study.spec).values(), key=lambda each: each[1])[:5]
    assert [row[2] for row in rows[:5]] == [value for _, value in best]
    assert [row[4:] for row in rows[:5]] == [
        (math.log10(params["learning_rate"]), math.log10(params["l2"])) for params, _ in best
    ]
    paper = [("paper", "2", t.validation_loss, t.training_loss, t.log_learning_rate, t.log_l2) for t in TABLE_2]
    assert list(rows[5:]) == paper


def test_table_2_says_so_where_the_penalty_counts(study_of):
    study = study_of(1, recipe="paper")
    work_off(study, lambda _task: outcome_of(9.5, 9.0, 8.0, 0.5))
    table = table_2(study, ranked_trials(study))
    assert table.columns[2].heading == "MAE + penalty (years)"


def test_parameters_of_any_kind_have_a_column_that_the_papers_rows_leave_empty(study_of):
    params = {"l2": 1e-3, "initializer": "xavier", "dropout": 0.25}
    table = table_2(study_of(1), [ranked(0, 9.0, params)])
    assert [column.heading for column in table.columns[4:]] == ["log10(L2)", "dropout", "initializer"]
    assert table.rows[0][4:] == (pytest.approx(-3), 0.25, "xavier")
    assert table.rows[1][4:] == (TABLE_2[0].log_l2, None, None)


def test_whole_numbers_and_choices_are_shown_as_they_are(study_of):
    params = {"batch_size": 16, "width": 24, "initializer": "xavier"}
    table = table_2(study_of(1), [ranked(0, 9.0, params)])
    assert table.shown()[0][4:] == ["16", "xavier", "24"]


def test_the_finalists_are_shown_in_the_order_of_the_verdict_with_what_is_tied(study_of):
    finalists = (
        Finalist({"l2": 1e-3}, (4, 7), 9.5, (9.0, 9.2), 9.1, 0.1, 0.0, 0.2, True),
        Finalist({"l2": 1e-2}, (2,), 9.1, (9.3, 9.3), 9.3, 0.0, 0.2, 0.2, True),
        Finalist({"l2": 1e-1}, (3,), 9.9, (9.9, 9.9), 9.9, 0.0, 0.8, 0.2, False),
        Finalist({"l2": 1e-4}, (1,), 8.8, (None, 9.0)),
    )
    table = finalist_table(study_of(1), Verdict(finalists, 2, {"images": 700, "epochs": 8}))
    assert [row[0] for row in table.rows] == ["4, 7", "2", "3", "1"]
    assert [row[5] for row in table.rows] == ["the best", "yes", "no", "–"]
    assert table.rows[0][1:5] == (9.1, 0.1, 0.0, 0.2)
    assert table.rows[3][1:5] == (None,) * 4
    assert table.rows[3][6:] == (8.8, pytest.approx(-4))
    assert "2 fresh seeds and subsets (700 images, 8 epochs). Chosen: trial 4, which has the best mean" in table.caption
