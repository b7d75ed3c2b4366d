import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import DatasetError
from data.splits import split_sizes, stratified_split


def test_the_paper_s_total_gives_the_paper_s_sizes():
    assert split_sizes(8874) == (5400, 2315, 1159)


@given(st.integers(8, 50_000))
def test_sizes_are_exact_to_rounding(total):
    sizes = split_sizes(total)
    assert sum(sizes) == total
    assert all(abs(size - total * part / 8874) < 1 for size, part in zip(sizes, (5400, 2315, 1159), strict=True))


def test_too_few_images_are_refused():
    with pytest.raises(DatasetError, match="2 images are too few to be split"):
        split_sizes(2)
    with pytest.raises(DatasetError, match="1 image is too few to be split"):
        split_sizes(1)


def test_every_age_is_divided_in_the_same_proportions():
    ages = np.random.default_rng(0).integers(1, 81, 4000).tolist()
    splits = stratified_split(ages, [str(place) for place in range(4000)], seed=1)
    assert np.bincount(splits).tolist() == list(split_sizes(4000))
    for top in range(5, 80, 5):
        below = splits[np.array(ages) <= top]
        expected = np.array(split_sizes(len(below)))
        assert (abs(np.bincount(below, minlength=3) - expected) <= 2).all()


@given(st.lists(st.tuples(st.integers(1, 80), st.integers(0, 60)), min_size=40, max_size=120), st.integers(0, 9))
@settings(max_examples=50)
def test_identical_images_stay_together_and_nothing_is_empty(images, seed):
    ages, digests = [age for age, _ in images], [str(digest) for _, digest in images]
    try:
        splits = stratified_split(ages, digests, seed)
    except DatasetError:
        assert len(set(digests)) < 40
        return
    assert set(splits.tolist()) == {0, 1, 2}
    assert all(len({split for split, of in zip(splits, digests, strict=True) if of == one}) == 1 for one in digests)


def test_sizes_stay_exact_with_some_identical_pairs():
    digests = [str(place % 950) for place in range(1000)]
    splits = stratified_split([place % 950 % 80 + 1 for place in range(1000)], digests, 0)
    assert np.bincount(splits).tolist() == list(split_sizes(1000))


def test_the_seed_decides_and_the_order_does_not():
    ages, digests = [place % 30 + 1 for place in range(300)], [f"{place * 7919 % 300:03d}" for place in range(300)]
    splits = stratified_split(ages, digests, 3)
    assert (stratified_split(ages[::-1], digests[::-1], 3)[::-1] == splits).all()
    assert (stratified_split(ages, digests, 4) != splits).any()


def test_identical_images_alone_cannot_be_split():
    with pytest.raises(DatasetError, match="many of them identical"):
        stratified_split([5] * 20, ["same"] * 20, 0)
