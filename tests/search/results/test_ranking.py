import sqlite3
from contextlib import closing

import pytest

from search.results.ranking import best_trials, ranked_trials, table
from search.storage.reading import DRAWN
from search.study.trial import Diverged
from tests.integration.fake_study import expected
from tests.outcomes import outcome_of
from tests.search.tiny import ranked, work_off


def by_slot(scores):
    """A trial that scores what its slot is given: NaN, or a number."""

    def run(task):
        score = scores[task.slot]
        return Diverged("nan") if score is None else outcome_of(score, score, 7.0, 0.25)

    return run


def test_trials_of_all_stages_are_ranked_by_score(study_of):
    study = study_of(4, 3)
    work_off(study)
    scores = sorted(value for _, value in expected(study.spec).values())
    assert [trial.score for trial in best_trials(study, 10)] == scores
    assert ranked_trials(study) == best_trials(study, 10)
    assert [trial.score for trial in best_trials(study, 5)] == scores[:5]


def test_ties_are_ranked_by_stage_and_slot(study_of):
    study = study_of(3, 3)
    work_off(study, by_slot([2.0, 1.0, 1.0]))
    ranked = [(trial.stage, trial.slot) for trial in best_trials(study, 5)]
    assert ranked == [(1, 1), (1, 2), (2, 1), (2, 2), (1, 0)]


def test_diverged_and_failed_trials_and_those_of_others_have_no_rank(study_of):
    study = study_of(3)
    study.storage.rdb.create_new_trial(study.id)

    def fail_once(task):
        if task.slot == 0 and task.attempt == 1:
            raise OSError
        return by_slot([5.0, None, 4.0])(task)

    work_off(study, fail_once)
    assert [trial.score for trial in best_trials(study, 10)] == [4.0, 5.0]


def test_a_ranked_trial_knows_what_it_measured_and_where_it_came_from(study_of):
    study = study_of(1)
    work_off(study, lambda _task: outcome_of(9.5, 9.0, 8.0, 0.5))
    trial = best_trials(study, 10)[0]
    assert (trial.score, trial.measures) == (9.5, {"validation_mae": 9.0, "training_mae": 8.0, "penalty": 0.5})
    assert (trial.measure("validation_mae"), trial.measure("")) == (9.0, 9.5)
    assert trial.budget == {"images": 500, "epochs": 5}
    assert 0 < trial.seconds < 60
    assert (trial.number, trial.stage, trial.slot) == (0, 1, 0)
    assert trial.params == expected(study.spec)[1, 0][0]
    assert trial.seeds.keys() == {"parameters", "subset", "weights", "order"}
    assert trial.as_dict()["params"] == trial.params


def test_what_a_trial_reported_is_its_curve_in_the_order_of_epochs_and_no_part_of_an_answer(study_of):
    def run(task):
        for epoch in (10, 9, 1):
            task.report(epoch, 20.0 - epoch)
        return outcome_of(9.5, 9.0, 8.0, 0.5)

    study = study_of(1)
    work_off(study, run)
    (trial,) = ranked_trials(study)
    assert trial.curve == (19.0, 11.0, 10.0)
    assert "curve" not in trial.as_dict()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_trials_are_ranked_with_all_their_curves_while_somebody_else_writes(study_of, storage):
    def run(task):
        task.report(1, 20.0)
        return outcome_of(9.5, 9.0, 8.0, 0.5)

    study = study_of(DRAWN + 1)
    work_off(study, run)
    assert {trial.curve for trial in ranked_trials(study)} == {(20.0,)}
    with closing(sqlite3.connect(storage.engine.url.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert len(ranked_trials(study)) == DRAWN + 1


def test_a_study_without_a_finished_trial_has_no_best(study_of):
    assert best_trials(study_of(2), 5) == []


def test_the_table_has_the_papers_columns_with_parameters_as_logarithms(study_of):
    study = study_of(1)
    work_off(study, lambda _task: outcome_of(9.51234, 9.51234, 8.0, 0.5))
    heading, row = table(study, best_trials(study, 10))
    assert heading == ("trial", "stage", "validation MAE", "training MAE", "log10(learning rate)", "log10(L2)")
    assert row[:4] == ("0", "1", "9.512", "8.000")
    params = best_trials(study, 10)[0].params
    assert 10 ** float(row[4]) == pytest.approx(params["learning_rate"], rel=0.002)
    assert 10 ** float(row[5]) == pytest.approx(params["l2"], rel=0.002)


def test_trials_of_studies_that_searched_other_parameters_share_a_table(study_of):
    study = study_of(1)
    mixed = [ranked(0, 9.0, {"l2": 1e-3}), ranked(1, 8.0, {"l2": 1e-4, "width": 16})]
    assert [row[4:] for row in table(study, mixed)] == [("log10(L2)", "width"), ("-3.000", "-"), ("-4.000", "16")]


def test_the_table_says_so_where_the_penalty_counts(study_of):
    study = study_of(1, recipe="paper")
    work_off(study, lambda _task: outcome_of(9.5, 9.0, 8.0, 0.5))
    assert table(study, best_trials(study, 1))[0][2] == "MAE + penalty"
