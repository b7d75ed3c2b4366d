import numpy as np

from data.faces import apparent_age, random_face
from data.portraits import draw_portrait


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
