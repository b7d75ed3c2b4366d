"""The paired bootstrap, against what is known of its mean and its interval."""

import numpy as np
import pytest

import search.results.paired
from search.errors import SearchError
from search.results.paired import Difference, compare, paired_bootstrap, widening
from tests.model.values import ages


def test_the_difference_is_that_of_the_two_mean_errors() -> None:
    labels, first, second = ages(10, 20, 30), ages(11, 18, 30), ages(13, 22, 27)
    assert compare(first, second, labels).mean == pytest.approx(1 - 8 / 3)
    assert compare(second, first, labels).mean == pytest.approx(8 / 3 - 1)


def test_a_model_is_tied_with_itself_without_any_doubt() -> None:
    same = compare(ages(1, 5, 9), ages(1, 5, 9), ages(2, 4, 8))
    assert (same.mean, same.low, same.high, same.tied) == (0, 0, 0, True)


def test_a_model_that_is_better_on_every_image_alike_is_better_without_any_doubt() -> None:
    labels = np.linspace(1, 80, 50, dtype=np.float32)
    found = compare(labels + 1, labels + 3, labels)
    assert found.low == pytest.approx(found.high) == pytest.approx(-2)
    assert not found.tied


def test_the_interval_is_that_of_the_normal_distribution_where_there_are_many_pairs() -> None:
    differences = np.random.default_rng(5).normal(0.3, 2.0, 2000)
    found = paired_bootstrap(differences)
    error = differences.std() / np.sqrt(2000)
    assert found.low == pytest.approx(differences.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(differences.mean() + 1.96 * error, abs=0.1 * error)
    assert (found.pairs, found.resamples, found.confidence) == (2000, 10_000, 0.95)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    stream = np.random.default_rng(1)
    samples = [paired_bootstrap(stream.normal(0.5, 1.0, 40), seed, 400) for seed in range(300)]
    covered = sum(found.low <= 0.5 <= found.high for found in samples) / len(samples)
    assert 0.89 < covered < 0.98


@pytest.mark.parametrize("pairs", [2, 3, 5])
def test_over_few_pairs_too_one_of_two_equal_models_is_hardly_called_better_more_often_than_once_in_twenty(
    pairs: int,
) -> None:
    stream = np.random.default_rng(pairs)
    verdicts = [not paired_bootstrap(stream.normal(0, 1.0, pairs), seed, 400).tied for seed in range(300)]
    assert 0.02 < np.mean(verdicts) < 0.09


def test_the_interval_is_wider_for_few_pairs_and_as_the_bootstrap_has_it_for_many() -> None:
    # t / z · sqrt(n / (n - 1)): 12.706 / 1.960 · sqrt(2), and 4.303 / 1.960 · sqrt(3 / 2).
    assert [widening(pairs) for pairs in (2, 3)] == pytest.approx([9.168, 2.689], abs=1e-3)
    assert 1 < widening(1159) < 1.002


def test_what_is_hard_for_both_does_not_widen_the_interval() -> None:
    stream = np.random.default_rng(2)
    labels = np.zeros(500, np.float32)
    hard = stream.gamma(1, 10, 500).astype(np.float32)
    found = compare(hard, hard + 0.5, labels)
    assert found.high - found.low < 1e-5


def test_the_same_seed_gives_the_same_interval_and_another_seed_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(3).normal(0, 1, 30)
    found = paired_bootstrap(differences, 7)
    assert paired_bootstrap(differences, 8) != found
    # However much is drawn at once.
    monkeypatch.setattr(search.results.paired, "CELLS", 100)
    assert paired_bootstrap(differences, 7) == found


def test_figures_come_as_plain_numbers_by_name() -> None:
    figures = paired_bootstrap(np.array([1.0, 2.0, 4.0])).as_dict()
    assert list(figures) == ["pairs", "mean", "low", "high", "confidence", "resamples", "tied"]
    assert {type(value) for value in figures.values()} == {int, float, bool}


@pytest.mark.parametrize("differences", [np.ones(1), np.ones(0), np.ones((2, 2)), np.array([1.0, np.nan])])
def test_differences_that_have_no_interval_are_refused(differences: np.ndarray) -> None:
    with pytest.raises(SearchError, match=r"differences are .*; they must be \(n,\), n ≥ 2, of finite numbers"):
        paired_bootstrap(differences)


def test_predictions_of_other_images_are_refused() -> None:
    with pytest.raises(SearchError, match=r"predictions are \(2,\) and \(3,\) for labels of \(3,\): not the same"):
        compare(ages(1, 2), ages(1, 2, 3), ages(1, 2, 3))


@pytest.mark.parametrize(("mean", "verdict"), [(-1.0, "a is better"), (1.0, "b is better"), (0.0, "a and b are tied")])
def test_the_sentence_names_the_better_one_or_both_where_they_are_tied(mean: float, verdict: str) -> None:
    found = Difference(9, mean, mean - 0.5, mean + 0.5, 0.95, 100)
    assert found.sentence("mm", ("a", "b")).endswith(f": {verdict}")


def test_a_single_image_is_too_few_to_compare_on() -> None:
    one = np.array([30], np.float32)
    with pytest.raises(SearchError, match="compare on two or more"):
        compare(one, one, one)
