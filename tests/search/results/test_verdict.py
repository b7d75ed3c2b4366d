import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from search.results.choice import choose
from search.results.ranking import best_trials
from search.results.summary import summary
from search.results.verdict import table, verdict
from search.study.trial import Diverged
from tests.integration.fake_study import finalist_budget, run_trial
from tests.outcomes import outcome_of
from tests.search.tiny import work_off, work_some

SEARCHED = (12.0, 10.0, 11.0)  # so that the finalists are those of slots 1, 2 and 0
AGAIN = ((10.5, 9.5, 10.0), (8.9, 8.1, 8.4), (8.8, 8.2, 8.5))


@pytest.fixture
def storage_url(sqlite_url):
    """One database will do: what is made of its trials is the same, whichever they come from."""
    return sqlite_url


def scored(again):
    """Trials that score `SEARCHED` by their slots, and as finalists `again` by place and repeat; None diverges."""

    def run(task):
        if task.stage == 1:
            score = SEARCHED[task.slot]
        else:
            repeat, place = divmod(task.slot, len(again))
            score = again[place][repeat]
        return Diverged("nan") if score is None else outcome_of(score, score, 1.0, 0.5)

    return run


@pytest.fixture
def judged(study_of):
    def judge(again=AGAIN):
        study = study_of(3, finalists=finalist_budget(len(again), len(again[0]), 700, 8))
        work_off(study, scored(again))
        return study, verdict(study)

    return judge


def test_the_finalists_are_ranked_by_their_means_with_their_standard_errors(judged):
    _, found = judged()
    assert [one.search_score for one in found.finalists] == [11.0, 12.0, 10.0]
    assert [one.scores for one in found.finalists] == [AGAIN[1], AGAIN[2], AGAIN[0]]
    for one in found.finalists:
        assert one.mean == pytest.approx(np.mean(one.scores))
        assert one.standard_error == pytest.approx(np.std(one.scores, ddof=1) / math.sqrt(3))
        assert one.behind == pytest.approx(one.mean - found.best.mean)
    assert (found.repeats, found.budget) == (3, {"images": 700, "epochs": 8})


def test_what_differs_by_less_than_the_seeds_explain_is_tied_with_the_best(judged):
    _, found = judged()
    assert [one.tied for one in found.finalists] == [True, True, False]


def test_seeds_that_are_hard_for_all_do_not_hide_a_difference(judged):
    # Each varies by years from seed to seed, but the second is always about 0.3 years behind.
    _, found = judged(((8.0, 12.0, 16.0), (8.29, 12.3, 16.31)))
    assert found.best.standard_error > 2
    assert [one.tied for one in found.finalists] == [True, False]


@pytest.mark.parametrize(("more", "tied"), [(-0.001, True), (0.001, False)])
def test_with_two_finalists_the_rule_is_the_paired_t_interval(more, tied, judged):
    first, noise = np.array((8.0, 8.7, 9.1)), np.array((-0.1, 0.0, 0.1))
    error = noise.std(ddof=1) / math.sqrt(3)
    limit = 4.3027 * error  # Student's t at 97.5 % with 2 degrees of freedom, from a printed table
    _, found = judged((tuple(first), tuple(first + noise + limit + more)))
    assert found.finalists[1].behind_error == pytest.approx(error)
    assert found.finalists[1].tied == tied


def test_the_noise_is_pooled_over_all_finalist_budget(judged):
    _, found = judged()
    scores = np.array(AGAIN)
    left = scores - scores.mean(1, keepdims=True) - scores.mean(0) + scores.mean()
    assert found.finalists[2].behind_error == pytest.approx(math.sqrt(2 * (left**2).sum() / 4 / 3))


def test_equal_finalists_are_tied(judged):
    _, found = judged(((9.0, 9.0), (9.0, 9.0)))
    assert [(one.behind, one.tied) for one in found.finalists] == [(0.0, True), (0.0, True)]


def test_a_single_finalist_is_the_best(judged):
    _, found = judged(((9.0, 10.0),))
    assert (found.best.mean, found.best.behind, found.best.tied) == (9.5, 0.0, True)


def test_a_finalist_that_diverged_once_is_never_the_best(judged):
    study, found = judged(((10.5, 9.5, 10.0), (1.0, None, 1.0), (8.8, 8.2, 8.5)))
    assert [one.mean is None for one in found.finalists] == [False, False, True]
    assert found.finalists[2].scores == (1.0, None, 1.0)
    assert choose(study).params == found.finalists[0].params


def test_where_no_finalist_can_be_chosen_the_sentence_says_what_is(judged):
    _, found = judged(((1.0, None), (None, 9.0)))
    assert found.chosen is None
    assert found.sentence == "the best single trial, as no finalist ended with a score for every seed"


def test_there_is_no_verdict_before_the_last_finalist_has_ended(study_of):
    study = study_of(3, finalists=finalist_budget(2, 2, 1, 1))
    for _ in range(6):
        work_some(study, 1)
        assert verdict(study) is None
    work_some(study, 1)
    assert len(verdict(study).finalists) == 2


def test_there_is_no_verdict_without_finalist_budget(study_of):
    study = study_of(2)
    work_off(study)
    assert verdict(study) is None


def test_a_verdict_can_be_written_as_json(judged):
    _, found = judged()
    assert json.loads(json.dumps(asdict(found)))["finalists"][2]["tied"] is False


def test_the_table_says_how_far_each_is_behind_and_whether_that_may_be_luck(judged):
    heading, best, second, last = table(*judged())
    assert heading[:6] == ("finalist of trial", "mean", "± s.e.", "behind the best", "tied", "in the search")
    assert best[:6] == ("2", "8.467", "0.233", "the best", "-", "11.000")
    assert (second[0], second[4], last[0], last[4]) == ("0", "yes", "1", "no")
    assert second[3].startswith("0.033 ± 0.")


def test_of_two_equal_finalists_the_table_calls_one_the_best_and_the_other_tied(judged):
    _, best, other = table(*judged(((0.01, 0.02, 0.03), (0.03, 0.02, 0.01))))
    assert (best[3:5], other[4]) == (("the best", "-"), "yes")
    assert other[1:4] == ("0.0200", "0.0058", "0.0000 ± 0.0115")


def test_the_table_says_what_lacks_a_score(judged):
    *_, last = table(*judged(((9.0, 9.1), (1.0, None))))
    assert last[1:5] == ("-", "-", "1 of 2 without a score", "-")


def test_the_best_mean_is_chosen_not_the_luckiest_trial(judged):
    study, found = judged()
    chosen = choose(study)
    assert chosen.params == found.best.params != best_trials(study, 1)[0].params
    assert chosen.trial.number == found.chosen == 2
    assert found.sentence.startswith("trial 2, which has the best mean over the same seeds for all; a finalist is tied")
    assert chosen.reason == "the best mean of 3 finalists over 3 seeds each"


@pytest.mark.parametrize(
    ("finalists", "trial", "reason"),
    [
        (None, run_trial, "the best single trial (finalists are disabled)"),
        (
            finalist_budget(2, 2, 1, 1),
            lambda task: run_trial(task) if task.stage == 1 else Diverged("nan"),
            "the best single trial; no finalist ended with a score for every seed",
        ),
    ],
)
def test_without_a_finalist_to_choose_the_best_trial_is_chosen_and_that_is_said(finalists, trial, reason, study_of):
    study = study_of(3, finalists=finalists)
    work_off(study, trial)
    assert choose(study).params == best_trials(study, 1)[0].params
    assert choose(study).reason == reason


def test_the_choice_of_an_unfinished_study_without_finalists_is_the_best_so_far(study_of):
    study = study_of(3, 2)
    work_some(study, 4)
    assert choose(study).reason == "the best single trial so far, of an unfinished study (finalists are disabled)"
    assert "best single trial so far 1" in summary(study).lines()[0]
    work_off(study)
    assert choose(study).reason == "the best single trial (finalists are disabled)"


def test_while_finalists_run_the_best_trial_so_far_is_the_choice(study_of):
    study = study_of(3, finalists=finalist_budget(2, 2, 1, 1))
    work_some(study, 4)
    assert choose(study).reason == "the best single trial so far; the finalists have not ended"
    assert choose(study).params == best_trials(study, 1)[0].params
