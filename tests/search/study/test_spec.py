import pytest

from search.study.variants import Experiment
from tests.integration.fake_study import finalist_budget, spec_of, variant

BUDGET = finalist_budget(3, 2, 700, 8)


def test_stages_have_the_sizes_asked_for_and_the_finalists_as_many_as_there_can_be():
    assert spec_of(6, 6).stage_sizes == (6, 6)
    assert spec_of(6, 6, finalists=BUDGET).stage_sizes == (6, 6, 6)
    assert spec_of(1, 1, finalists=BUDGET).stage_sizes == (1, 1, 4)


def test_a_slot_costs_its_images_times_its_epochs():
    assert spec_of(2, 1).slot_costs == (2500, 2500, 2500)
    own = 700 * 8
    assert spec_of(1, 1, finalists=BUDGET).slot_costs == (2500, 2500, own, own, own, own)
    variants = (variant("short", {"width": 8}, 7, 3, 2), variant("long", {"width": 8}, 70, 30, 1))
    assert spec_of(3, experiment=Experiment("widths", variants)).slot_costs == (21, 21, 2100)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ((0, 3, 1, 1), "finalists = 0 must be 1 or more"),
        ((1, 1, 1, 1), "finalist_repeats = 1 must be 2 or more"),
        ((1, 2, 0, 1), "finalist_images = 0 must be 1 or more"),
        ((1, 2, 1, 0), "finalist_epochs = 0 must be 1 or more"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(budget, said):
    with pytest.raises(Exception, match=said):
        finalist_budget(*budget)
