import numpy as np
import pytest

from data.errors import DatasetError
from data.options import BuildOptions
from data.portraits import draw_portrait
from data.statistics import label_statistics
from data.synthetic import apparent_age, draw_face, draw_splits, random_face, synthetic_age, synthetic_digest


def quiet(done, total):
    assert 0 < done <= total


def test_a_face_is_a_function_of_seed_and_index_alone():
    splits = draw_splits(BuildOptions(sizes=(4, 3, 2), seed=7), quiet)
    assert (splits["validation"].images[1] == draw_face(7, 5)).all()
    assert splits["validation"].labels[1] == synthetic_age(7, 5)
    more = draw_splits(BuildOptions(sizes=(6, 3, 2), seed=7), quiet)
    assert (more["training"].images[:4] == splits["training"].images).all()


def test_seeds_and_indices_give_different_faces():
    assert len({draw_face(seed, index).tobytes() for seed in range(3) for index in range(3)}) == 9


@pytest.mark.parametrize("size", [(91, 91), (32, 48), (8, 8)])
def test_faces_come_in_any_size(size):
    face = draw_face(0, 0, size)
    assert (face.shape, face.dtype) == ((*size, 1), np.uint8)
    assert face.std() > 2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ages_are_distributed_as_in_table_1(seed):
    for first, count in ((0, 5400), (5400, 2315), (7715, 1159)):
        ages = np.array([synthetic_age(seed, index) for index in range(first, first + count)], np.float32)
        one = label_statistics(ages)
        assert abs(one.mean - 32.03) < 0.15
        assert abs(one.sd - 18.23) < 0.15
        assert (one.quartile_1, one.median, one.quartile_3) == (23, 29, 42)
        assert (one.minimum, one.maximum) == (1, 80)
        assert 13.7 < one.median_mae < 14.3


def test_the_age_range_is_kept():
    splits = draw_splits(BuildOptions(sizes=(5, 4, 3), min_age=20, max_age=30, image_size=(16, 16)), quiet)
    ages = np.concatenate([split.labels for split in splits.values()])
    assert len(ages) == 12
    assert ages.min() >= 20
    assert ages.max() <= 30


@pytest.mark.parametrize("ages", [(0, 0), (81, 99)])
def test_a_range_in_which_no_face_has_its_age_is_refused(ages):
    options = BuildOptions(sizes=(1, 1, 1), min_age=ages[0], max_age=ages[1])
    with pytest.raises(DatasetError, match=f"ages are {ages[0]} to {ages[1]}, but drawn faces are 1 to 80; choose"):
        draw_splits(options, quiet)


def test_names_are_unique_and_state_the_age():
    splits = draw_splits(BuildOptions(sizes=(5, 4, 3), image_size=(16, 16)), quiet)
    names = [name for split in splits.values() for name in split.names]
    assert len(set(names)) == 12
    assert int(splits["test"].names[0].split("/")[1][:3]) == splits["test"].labels[0]


def test_the_digest_tells_settings_apart():
    options = [BuildOptions(), BuildOptions(seed=1), BuildOptions(sizes=(3, 2, 1)), BuildOptions(image_size=(64, 64))]
    assert len({synthetic_digest(one) for one in options}) == 4


def test_age_can_be_learned_from_the_pixels_but_not_without_error():
    splits = draw_splits(BuildOptions(sizes=(500, 1, 200), image_size=(48, 48)), quiet)

    def features(images):
        small = images[..., 0].astype(np.float64).reshape(-1, 16, 3, 16, 3).mean((2, 4)).reshape(len(images), -1)
        small = (small - small.mean(1, keepdims=True)) / small.std(1, keepdims=True)
        return np.hstack([small, np.ones((len(small), 1))])

    train, test = features(splits["training"].images), features(splits["test"].images)
    ages, truth = splits["training"].labels, splits["test"].labels
    weights = np.linalg.solve(train.T @ train + 300 * np.eye(train.shape[1]), train.T @ (ages - ages.mean()))
    error = np.abs(test @ weights + ages.mean() - truth).mean()
    constant = np.abs(np.median(ages) - truth).mean()
    assert 4 < error < 0.9 * constant


def mean_trait(trait, age):
    return np.mean([getattr(random_face(np.random.default_rng(seed), age), trait) for seed in range(200)])


def test_traits_change_with_age_as_in_people():
    for trait, young, old in (("eye_height", 2, 30), ("eye_y", 2, 30), ("lips", 25, 75)):
        assert mean_trait(trait, young) > mean_trait(trait, old)
    for trait, young, old in (("jaw", 2, 30), ("hair", 30, 75), ("wrinkles", 30, 60), ("wrinkles", 60, 80)):
        assert mean_trait(trait, young) < mean_trait(trait, old)


def test_looks_err_by_about_four_years_in_adults_and_less_in_infants():
    off = {
        age: np.std([apparent_age(np.random.default_rng(seed), age) - age for seed in range(500)]) for age in (1, 30)
    }
    assert off[1] < 1
    assert 3.5 < off[30] < 4.5


def test_a_portrait_depends_on_nothing_but_its_random_numbers():
    def one():
        rng = np.random.default_rng(4)
        return draw_portrait(rng, random_face(rng, 40), (40, 40))

    assert np.array_equal(one(), one())
