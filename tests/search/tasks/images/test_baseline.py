import numpy as np
import pytest

from data.dataset import read_labels
from search.study.trial import Diverged
from search.tasks.images.baseline import median_error, nothing_learnt
from tests.outcomes import outcome_of
from tests.search.tiny import work_off


@pytest.fixture
def storage_url(sqlite_url):
    """One database will do: what is made of its trials is the same, whichever they come from."""
    return sqlite_url


@pytest.fixture
def scored(study_of):
    """A study whose trials, but for the first, have that error and a penalty of 3."""

    def score(error, **settings):
        study = study_of(3, **settings)
        work_off(study, lambda trial: outcome_of(error + 3, error, 1, 3) if trial.slot else Diverged("nan"))
        return study

    return score


def test_the_median_is_that_of_training_and_its_error_that_on_validation(faces):
    median = np.median(read_labels(faces, "training"))
    assert median_error(faces) == pytest.approx(np.abs(read_labels(faces, "validation") - median).mean())


@pytest.mark.parametrize(("error", "learnt"), [(9.69, True), (9.71, False), (12.0, False)])
def test_a_best_trial_that_is_not_3_percent_better_than_the_median_has_learnt_nothing(error, learnt, scored):
    said = nothing_learnt(scored(error), 10.0)
    assert (said == "") is learnt
    if said:
        assert said.startswith(
            f"nothing was learnt: the best single trial scores {error:.3f} years, and always answering the median "
            "10.000 years; look at the range of learning rates, at a trial's images and epochs, and at whether labels"
        )


def test_of_trials_that_are_judged_with_stale_statistics_nothing_is_said(scored):
    assert nothing_learnt(scored(12.0, recipe="paper"), 10.0) == ""


def test_of_a_search_without_any_value_nothing_is_said(study_of):
    assert nothing_learnt(study_of(3), 10.0) == ""
