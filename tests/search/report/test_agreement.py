from itertools import product

import numpy as np
import pytest

from search.errors import SearchError
from search.report.agreement import Correlation, agreement, choices, noise, picks, spearman

STREAM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("scores", "correlation"),
    [
        ([1.0, 2.0, 30.0, 400.0], 1.0),
        ([4.0, 3.0, 2.0, 1.0], -1.0),
        ([2.0, 1.0, 4.0, 3.0], 0.6),  # 1 - 6·4 / (4·15)
        ([1.0, 1.0, 2.0, 2.0], 4 / np.sqrt(20)),  # two ties of two: by hand
        ([5.0, 5.0, 5.0, 5.0], 0.0),
        ([1.0, 2.0, 3.0, np.inf], 1.0),
    ],
)
def test_spearmans_correlation_is_the_known_one(scores, correlation):
    assert spearman(np.array(scores), np.array([6.0, 7.0, 8.0, 9.0])) == pytest.approx(correlation)


def test_the_correlation_of_single_trials_is_the_mean_over_the_repeats():
    scores, reference = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.array([1.0, 2.0, 3.0])
    assert agreement(scores, reference).single.value == pytest.approx(0)


def test_the_noise_of_a_trial_is_pooled_over_the_configurations():
    scores = np.array([[9.0, 11.0], [20.0, 20.0]])  # variances 2 and 0
    assert noise(scores) == pytest.approx(1.0)


def test_a_configuration_that_diverged_has_no_noise():
    assert noise(np.array([[9.0, 11.0], [20.0, np.inf]])) == pytest.approx(np.sqrt(2))
    assert np.isnan(noise(np.array([[np.inf, 1.0]])))


def test_noise_of_a_known_size_is_found_again():
    scores = 10 * STREAM.random((4000, 1)) + STREAM.normal(0, 0.3, (4000, 3))
    assert noise(scores) == pytest.approx(0.3, rel=0.03)


@pytest.mark.parametrize("scores", [STREAM.random((4, 3)), np.array([[1.0, 2.0], [1.0, 3.0], [2.0, 1.0]])])
def test_the_chance_of_being_picked_is_that_over_all_ways_to_draw_a_repeat_for_each(scores):
    count, repeats = scores.shape
    counted = np.zeros(count)
    for chosen in product(range(repeats), repeat=count):
        counted[np.argmin(scores[range(count), chosen])] += 1
    assert picks(scores) == pytest.approx(counted / repeats**count)


def test_a_perfect_judge_agrees_fully_and_loses_nothing():
    reference = np.array([5.0, 6.0, 7.0, 8.0])
    found = agreement(np.stack([reference, reference], axis=1) + 4, reference)
    assert found.single == found.averaged == Correlation(pytest.approx(1), pytest.approx(1), pytest.approx(1))
    assert (found.noise, found.regret, found.chosen_regret) == (0, 0, 0)
    assert (found.configurations, found.repeats) == (4, 2)


def test_a_judge_that_always_prefers_the_worst_loses_the_whole_spread():
    reference = np.array([5.0, 6.0, 9.0])
    found = agreement(np.stack([-reference, -reference], axis=1), reference)
    assert found.single.value == pytest.approx(-1)
    assert found.regret == found.chosen_regret == pytest.approx(4)


def test_the_regret_of_a_single_trial_is_the_mean_over_the_draws():
    scores, reference = np.array([[1.0, 5.0], [3.0, 3.0], [9.0, 9.0]]), np.array([6.0, 8.0, 7.0])
    found = agreement(scores, reference)
    assert found.regret == pytest.approx(1.0)  # half of the draws pick the second, which is 2 years behind


def test_a_finalist_is_chosen_by_its_other_repeats_and_not_by_the_lucky_one():
    scores = np.array([[1.0, 9.0], [5.0, 5.0], [5.5, 5.5]])
    chosen = choices(scores, seed=0)
    # The lucky trial or the unlucky one of the first configuration is what it comes to as a finalist, half of the time.
    assert set(chosen) == {0, 1}
    assert (chosen == 0).mean() == pytest.approx(0.5, abs=0.05)
    assert choices(scores, seed=0).tolist() == chosen.tolist()


@pytest.mark.parametrize(("steady", "share"), [(4, 0.5), (5, 0.0)])
def test_only_the_five_best_trials_become_finalists(steady, share):
    scores = np.array([[2.0, 2.0]] * steady + [[9.0, 1.0]])
    # Where 9 is its trial, the last one's 1 counts if that is among the five best, and never where it is the sixth.
    assert (choices(scores, seed=0) == steady).mean() == pytest.approx(share, abs=0.05)


def test_means_over_repeats_agree_better_than_single_noisy_trials():
    reference = np.linspace(5, 6, 30)
    found = agreement(reference[:, None] + STREAM.normal(0, 0.3, (30, 8)), reference)
    assert found.averaged.value > found.single.value + 0.1
    assert found.chosen_regret < found.regret


def test_the_interval_holds_the_value_and_is_wide_for_few_configurations():
    reference = np.linspace(5, 6, 40)
    scores = reference[:, None] + STREAM.normal(0, 0.4, (40, 3))
    few, many = agreement(scores[::5], reference[::5]).averaged, agreement(scores, reference).averaged
    assert all(each.low <= each.value <= each.high for each in (few, many))
    assert few.high - few.low > 1.5 * (many.high - many.low)


def test_the_interval_is_the_same_every_time_and_another_for_another_seed():
    scores, reference = STREAM.random((6, 2)), STREAM.random(6)
    assert agreement(scores, reference) == agreement(scores, reference)
    assert agreement(scores, reference, seed=1) != agreement(scores, reference)


def test_a_trial_that_came_to_nothing_is_the_worst_of_all():
    scores, reference = np.array([[np.inf, 9.0], [2.0, 2.0], [3.0, 3.0]]), np.array([9.0, 5.0, 6.0])
    found = agreement(scores, reference)
    assert found.single.value == pytest.approx(1)
    assert found.regret == 0


@pytest.mark.parametrize(
    ("scores", "reference", "said"),
    [
        (np.ones((2, 2)), np.array([1.0, 2.0]), "there are 2 configurations with 2 repeats"),
        (np.ones((3, 1)), np.array([1.0, 2.0, 3.0]), "3 configurations with 1 repeats"),
        (np.ones((3, 2)), np.ones(2), r"scores are \(3, 2\) for a reference of \(2,\)"),
        (np.ones((3, 2)), np.array([1.0, 2.0, np.inf]), "must be finite"),
        (np.ones((3, 2)), np.ones(3), "not the same for all"),
        (np.full((3, 2), np.nan), np.array([1.0, 2.0, 3.0]), "no score may be NaN"),
    ],
)
def test_what_cannot_be_judged_is_refused(scores, reference, said):
    with pytest.raises(SearchError, match=said):
        agreement(scores, reference)
