from itertools import product

import pytest

from search.space.seeds import Purpose, TrialSeeds, seed_of, shares, trial_seeds, uniforms
from search.study.plans import Sampled
from search.tasks.images.parameters import FIRST_BOX
from tests.integration.fake_study import finished
from tests.search.tiny import work_off


def test_a_slots_seeds_are_the_same_today_and_ever_after():
    assert trial_seeds(1, 1, 0) == TrialSeeds(
        parameters=8114064281633089408, subset=2015355381, weights=341724306, order=1791783544
    )


def test_no_two_purposes_slots_stages_or_studies_share_a_seed():
    places = list(product((0, 1), (1, 2), range(50), Purpose))
    assert len({seed_of(*place) for place in places}) == len(places)


def test_seeds_fit_where_they_are_used():
    for slot in range(100):
        seeds = trial_seeds(2**40, 1, slot)
        assert 0 <= seeds.parameters < 2**63
        assert all(0 <= seed < 2**31 for seed in (seeds.subset, seeds.weights, seeds.order))


def test_more_draws_leave_the_first_ones_as_they_were():
    assert uniforms(5, 4)[:2] == uniforms(5, 2)


def test_draws_are_spread_over_the_unit_interval():
    draws = [draw for slot in range(500) for draw in uniforms(trial_seeds(1, 1, slot).parameters, 2)]
    assert min(draws) >= 0
    assert max(draws) < 1
    assert abs(sum(draws) / len(draws) - 0.5) < 0.03


def test_random_shares_are_the_draws_of_the_slots_own_seed():
    assert shares("random", 7, 2, 5, 3) == uniforms(trial_seeds(7, 2, 5).parameters, 3)


@pytest.fixture
def sobol():
    pytest.importorskip("scipy", reason="scipy is not installed: pip install -e .")
    return lambda stage=1, seed=7, slots=16: [shares("sobol", seed, stage, slot, 2) for slot in range(slots)]


def test_sixteen_points_of_sobol_lie_in_sixteen_parts_of_every_range_and_in_every_square(sobol):
    points = sobol()
    for axis in range(2):
        assert sorted(int(point[axis] * 16) for point in points) == list(range(16))
    assert len({(int(x * 4), int(y * 4)) for x, y in points}) == 16


def test_a_point_of_sobol_depends_on_seed_stage_and_slot_alone(sobol):
    points = sobol()
    assert shares("sobol", 7, 1, 11, 2) == points[11]
    assert not set(points) & set(sobol(stage=2))
    assert not set(points) & set(sobol(seed=8))


@pytest.mark.usefixtures("sobol")
def test_a_study_can_be_sampled_by_sobol(study_of):
    study = study_of(3, sampler="sobol")
    work_off(study)
    plan = Sampled(3, FIRST_BOX, None, {"images": 500, "epochs": 5}, (), "sobol")
    assert [params for _, (params, _) in finished(study)] == [plan.assignment(1, 1, slot).params for slot in range(3)]
