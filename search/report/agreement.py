"""How far a short trial can be believed: its scores against what a longer training of the same configurations came to.

`scores` are float (configurations, repeats), `reference` is float (configurations,), both errors in one
unit, so that less is better; a score of infinity is that of a trial that came to none.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.errors import SearchError

Floats = npt.NDArray[np.float64]

FINALISTS = 5
"""As many as a search looks at again, unless told otherwise."""

RESAMPLES = 2000
CONFIDENCE = 0.95
LEAST_CONFIGURATIONS = 3
"""Two are either in the right order or not, which no correlation and no interval says anything about."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rank correlation, and its percentile interval at 95 % when the configurations are drawn anew."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a judge is worth.

    `single` is the correlation of one trial with the reference, the mean over the repeats; `averaged` that of the mean
    of all repeats but one, which is what a finalist has next to its trial. `noise` is the standard deviation of one
    trial around its configuration's mean, pooled, in that unit. `regret` is what the pick of the best single trial
    loses in the reference against the best of all, the mean over all ways to draw one repeat for each; `chosen_regret`
    what a search's choice loses, the mean over `RESAMPLES` draws: the five best by one trial are finalists, and the
    best mean of their other repeats is chosen.
    """

    configurations: int
    repeats: int
    single: Correlation
    averaged: Correlation
    noise: float
    regret: float
    chosen_regret: float


def agreement(scores: Floats, reference: Floats, seed: int = 0) -> Agreement:
    """Judge the judge; `seed` is that of the resampling.

    Raises SearchError for too few configurations, fewer than two repeats, or a reference that is not finite.
    """
    _require_usable(scores, reference)
    behind = reference - reference.min()
    return Agreement(
        configurations=scores.shape[0],
        repeats=scores.shape[1],
        single=_correlation(scores, reference, seed),
        averaged=_correlation(_means_of_all_but_one(scores), reference, seed),
        noise=noise(scores),
        regret=float(picks(scores) @ behind),
        chosen_regret=float(behind[choices(scores, seed)].mean()),
    )


def spearman(first: Floats, second: Floats) -> Floats:
    """Return the rank correlation along the last axis; what has no order, as all values are equal, agrees by 0."""
    from scipy.stats import rankdata  # half a second

    ranks = (rankdata(values, axis=-1) for values in (first, second))
    ours, theirs = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    products = (ours * theirs).sum(axis=-1)
    sizes = np.sqrt(np.square(ours).sum(axis=-1) * np.square(theirs).sum(axis=-1))
    found: Floats = np.divide(products, sizes, out=np.zeros_like(products), where=sizes > 0)
    return found


def noise(scores: Floats) -> float:
    """Return the standard deviation within configurations, pooled over those whose scores are all finite; else NaN."""
    finite = scores[np.isfinite(scores).all(axis=1)]
    return float(np.sqrt(finite.var(axis=1, ddof=1).mean())) if len(finite) else float("nan")


def picks(scores: Floats) -> Floats:
    """Return each configuration's probability of having the lowest score, when one of its repeats is drawn for each.

    Of equal scores the first configuration's is picked. It is exact: the probability that none of the others is lower,
    over all scores of a configuration.
    """
    count, repeats = scores.shape
    chances = np.ones((count, repeats))
    for other in range(count):
        lower_ones = np.arange(count)[:, None] < other
        own = scores[other][:, None, None]
        beaten = np.where(lower_ones, (own >= scores).mean(axis=0), (own > scores).mean(axis=0))
        beaten[other] = 1
        chances *= beaten
    return np.asarray(chances.mean(axis=1), np.float64)


def choices(scores: Floats, seed: int) -> npt.NDArray[np.intp]:
    """Return the configurations that `RESAMPLES` searches with finalists choose, (RESAMPLES,).

    Each search draws for every configuration which of its repeats is its trial; the others are what it comes to as a
    finalist.
    """
    stream = np.random.default_rng(seed)
    drawn = stream.permuted(np.broadcast_to(scores, (RESAMPLES, *scores.shape)), axis=2)
    finalists = np.argsort(drawn[:, :, 0], axis=1, kind="stable")[:, :FINALISTS]
    means = np.take_along_axis(drawn[:, :, 1:].mean(axis=2), finalists, axis=1)
    found: npt.NDArray[np.intp] = np.take_along_axis(finalists, means.argmin(axis=1, keepdims=True), axis=1)[:, 0]
    return found


def _means_of_all_but_one(scores: Floats) -> Floats:
    """Return each configuration's mean over its repeats but the first, but the second and so on, as `scores` are."""
    return np.stack([np.delete(scores, place, axis=1).mean(axis=1) for place in range(scores.shape[1])], axis=1)


def _correlation(scores: Floats, reference: Floats, seed: int) -> Correlation:
    """Return the mean correlation of the columns of `scores` with the reference, and its interval."""
    drawn = np.random.default_rng(seed).integers(0, len(reference), (RESAMPLES, len(reference)))
    # A draw of one configuration again and again has no order to agree with.
    drawn = drawn[(reference[drawn] != reference[drawn[:, :1]]).any(axis=1)]
    found = spearman(scores.T[:, drawn], reference[drawn]).mean(axis=0)
    low, high = np.quantile(found, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Correlation(float(spearman(scores.T, reference).mean()), float(low), float(high))


def _require_usable(scores: Floats, reference: Floats) -> None:
    if scores.ndim != 2 or reference.shape != scores.shape[:1]:
        raise SearchError(f"scores are {scores.shape} for a reference of {reference.shape}; they must be (n, repeats)")
    if len(reference) < LEAST_CONFIGURATIONS or scores.shape[1] < 2:
        raise SearchError(
            f"there are {scores.shape[0]} configurations with {scores.shape[1]} repeats each; agreement needs "
            f"{LEAST_CONFIGURATIONS} configurations and 2 repeats at least"
        )
    if not np.isfinite(reference).all() or np.isnan(scores).any() or len(np.unique(reference)) < 2:
        raise SearchError("the reference must be finite and not the same for all, and no score may be NaN")
