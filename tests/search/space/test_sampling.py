import pytest

from search.space.box import FIRST_BOX
from search.space.sampling import shares
from search.space.seeds import trial_seeds, uniforms
from search.study.plans import Sampled
from tests.integration.fake_study import finished
from tests.search.tiny import work_off


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
    plan = Sampled(3, FIRST_BOX, None, 500, 5, (), "sobol")
    assert [params for _, (params, _) in finished(study)] == [plan.assignment(1, 1, slot).params for slot in range(3)]
