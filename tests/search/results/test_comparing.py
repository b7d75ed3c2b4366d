import numpy as np
import pytest

from search.errors import SearchError
from search.results.comparing import compare_studies
from search.results.paired import paired_bootstrap
from search.results.verdict import verdict
from search.study.study import create_or_resume
from search.study.variants import Experiment
from tests.integration.fake_study import finalist_budget, spec_of, variant
from tests.outcomes import outcome_of
from tests.search.tiny import work_off

BUDGET = finalist_budget(2, 2, 700, 8)


@pytest.fixture
def storage_url(sqlite_url):
    """One database will do: what is made of its trials is the same, whichever they come from."""
    return sqlite_url


@pytest.fixture
def studies(storage):
    """Make a finished study of a name, whose trials err by what `error_of` says of their slots."""

    def create(name, error_of, *stages, **settings):
        study = create_or_resume(storage, name, spec_of(*(stages or (4,)), **settings))
        work_off(study, lambda trial: outcome_of(error_of(trial.slot) + 1, error_of(trial.slot), 7.0, 1.0))
        return study

    return create


def test_trials_of_the_same_configuration_and_seeds_are_paired_by_their_errors(studies):
    first, second = studies("a", lambda slot: 10.0 + slot), studies("b", lambda slot: 11.0 + 3 * slot, recipe="paper")
    found = compare_studies(first, second)
    assert found.names == ("a", "b")
    assert found.trials == (4, 4)
    assert [trial.measure("validation_mae") for trial in found.best] == [10.0, 11.0]
    assert found.paired == paired_bootstrap(-1.0 - 2 * np.arange(4))


def test_studies_of_other_seeds_share_no_pair(studies):
    found = compare_studies(studies("a", float), studies("b", float, seed=2))
    assert found.paired is None
    assert found.as_dict()["paired"] is None


@pytest.mark.parametrize("budget", [{"images": 250}, {"epochs": 2}])
def test_studies_of_another_budget_share_no_pair(budget, studies):
    assert compare_studies(studies("a", float), studies("b", float, **budget)).paired is None


def test_a_single_shared_trial_is_no_comparison(studies):
    assert compare_studies(studies("a", float, 4), studies("b", float, 1)).paired is None
    assert compare_studies(studies("a", float, 4), studies("c", float, 2)).paired.pairs == 2


def test_the_best_finalists_are_compared_by_their_means_where_they_had_the_same_budget(studies):
    budget = finalist_budget(2, 2, 700, 8)
    first = studies("a", lambda slot: 10.0 + slot, finalists=budget)
    second = studies("b", lambda slot: 20.0 + 2 * slot, finalists=budget, seed=2)
    found = compare_studies(first, second)
    assert found.trials == (4, 4)
    best = verdict(first).best
    assert (found.chosen[0].mean, found.chosen[0].standard_error) == (best.mean, best.standard_error)
    assert found.difference[0] == pytest.approx(best.mean - verdict(second).best.mean)
    theirs = verdict(second).best.standard_error
    assert found.difference[1] == pytest.approx(np.hypot(best.standard_error, theirs))
    assert found.as_dict()["difference"] == found.difference
    assert found.as_dict()["best"] == [trial.as_dict() for trial in found.best]


def test_finalists_with_the_same_seeds_are_compared_seed_by_seed(studies):
    first = studies("a", lambda slot: 10.0 + slot, finalists=BUDGET)
    assert compare_studies(first, first).difference == (0, 0)
    second = studies("b", lambda slot: 20.0 + 3 * slot, finalists=BUDGET)
    apart = np.subtract(verdict(first).best.scores, verdict(second).best.scores)
    found = compare_studies(first, second).difference
    assert found == pytest.approx((apart.mean(), apart.std(ddof=1) / np.sqrt(2)))


def test_finalists_of_another_recipe_are_not_compared_as_their_scores_mean_something_else(studies):
    first, second = studies("a", float, finalists=BUDGET), studies("b", float, finalists=BUDGET, recipe="paper")
    assert compare_studies(first, second).difference is None


def test_an_experiment_is_not_compared_with_a_search(studies, storage):
    variants = (variant("only", {"width": 8}, 5, 1, 2),)
    made = create_or_resume(storage, "widths", spec_of(2, experiment=Experiment("widths", variants)))
    with pytest.raises(SearchError, match=r"'widths' is an experiment, .*; name two searches"):
        compare_studies(studies("a", float), made)


def test_finalists_of_another_budget_or_none_are_not_compared(studies):
    first = studies("a", float, finalists=finalist_budget(2, 2, 700, 8))
    other = studies("b", float, finalists=finalist_budget(2, 2, 700, 9))
    assert compare_studies(first, other).difference is None
    found = compare_studies(first, studies("c", float))
    assert found.chosen[1] is None
    assert found.difference is None


def test_studies_of_other_datasets_are_refused(studies):
    with pytest.raises(SearchError, match=r"'a' and 'b' saw different datasets \(0f… and 1e…\): not comparable"):
        compare_studies(studies("a", float), studies("b", float, dataset="1e"))


def test_a_study_without_a_value_is_refused(studies, storage):
    empty = create_or_resume(storage, "b", spec_of(2))
    with pytest.raises(SearchError, match="'b' has no finished trial with a value;"):
        compare_studies(studies("a", float), empty)
