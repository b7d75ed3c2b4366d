"""Dividing images into splits so that each has the same labels, and no image twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from data.errors import DatasetError, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAPER_SIZES: Final = (5400, 2315, 1159)
"""Images for training, validation and test in the paper."""


def split_sizes(total: int) -> tuple[int, ...]:
    """Divide `total` in the proportions of `PAPER_SIZES`, each part exact to rounding (largest remainders first).

    Raises DatasetError where a part would be empty.
    """
    shares = [divmod(total * size, sum(PAPER_SIZES)) for size in PAPER_SIZES]
    by_remainder = sorted(range(len(shares)), key=lambda part: -shares[part][1])
    extra = set(by_remainder[: total - sum(whole for whole, _ in shares)])
    sizes = tuple(whole + (part in extra) for part, (whole, _) in enumerate(shares))
    if min(sizes) < 1:
        images = f"{counted(total, 'image')} {'is' if total == 1 else 'are'}"
        raise DatasetError(f"{images} too few to be split {'/'.join(map(str, PAPER_SIZES))}; give more images")
    return sizes


def stratified_split(strata: Sequence[int], digests: Sequence[str], seed: int) -> NDArray[np.int64]:
    """Assign each image to a split, returning int64 (N,) with 0 training, 1 validation, 2 test.

    Proportions are the paper's, 5400/2315/1159, in every stratum and in total. Images of equal `digests` stay together,
    and only a group of them larger than what is left of every split can move a size off its rounding. Which images go
    where depends on the seed and on what the images are, not on their order. Raises DatasetError for fewer than four or
    so images, where a split would be empty.
    """
    rng = np.random.default_rng(seed)
    left = np.array(split_sizes(len(strata)))
    groups = _groups(strata, digests, rng)
    chosen = _place_groups([group for group in groups if len(group) > 1], left)
    counts = np.zeros(3)
    for group in groups:
        if group[0] not in chosen:
            chosen[group[0]] = _draw(np.where(left > 0, _lag(counts, 1), -np.inf), rng)
            left[chosen[group[0]]] -= 1
        counts[chosen[group[0]]] += len(group)
    result = np.empty(len(strata), np.int64)
    for group in groups:
        result[group] = chosen[group[0]]
    if len(np.unique(result)) < len(PAPER_SIZES):
        raise DatasetError(f"{len(strata)} images, many of them identical, are too few to be split; give more images")
    return result


def _lag(counts: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return how many images each split lacks of its share once `size` more are placed."""
    share: NDArray[np.float64] = np.array(PAPER_SIZES) / sum(PAPER_SIZES)
    return share * float(counts.sum() + size) - counts


def _draw(lag: NDArray[np.float64], rng: np.random.Generator) -> int:
    """Choose a split by chance in proportion to what it lacks, which keeps all of them near their shares."""
    lacking = np.maximum(lag, 0).cumsum()
    if lacking[-1] <= 0:
        return int(lag.argmax())
    return int(np.searchsorted(lacking[:-1], rng.random() * lacking[-1], side="right"))


def _groups(strata: Sequence[int], digests: Sequence[str], rng: np.random.Generator) -> list[list[int]]:
    """Return the indices of identical images, group by group: by their lowest stratum, and by chance within one."""
    by_digest: dict[str, list[int]] = {}
    for index, digest in enumerate(digests):
        by_digest.setdefault(digest, []).append(index)
    groups = [by_digest[digest] for digest in sorted(by_digest)]
    chance = rng.permutation(len(groups))
    order = sorted(range(len(groups)), key=lambda at: (min(strata[index] for index in groups[at]), chance[at]))
    return [groups[at] for at in order]


def _place_groups(groups: list[list[int]], left: NDArray[np.int64]) -> dict[int, int]:
    """Choose a split for each group of several images, taking their number from `left`."""
    chosen: dict[int, int] = {}
    counts = np.zeros(3)
    for group in groups:
        fits = left >= len(group)
        split = int(np.where(fits, _lag(counts, len(group)), -np.inf).argmax() if fits.any() else left.argmax())
        chosen[group[0]] = split
        counts[split] += len(group)
        left[split] -= len(group)
    return chosen
