import pytest

from search.processes.worker import work
from search.slots.slots import SlotCounts, Slots
from search.space.box import Box, LogRange
from search.space.narrowing import GIVEN
from search.study.plans import Sampled
from search.study.stages import list_stages, open_next, read_stage, sampled_stages
from tests.integration.fake_study import run_trial

BOX = Box((LogRange("learning_rate", 1e-5, 1e-3), LogRange("l2", 1e-5, 1e-3)))


def test_the_first_stage_has_the_studys_box_and_no_narrowing(study_of):
    study = study_of(4, 4)
    assert list_stages(study) == ()
    open_next(study, 0)
    stage = read_stage(study, 1)
    assert stage.plan == Sampled(4, study.spec.box, None, images=500, epochs=5)
    assert Slots(study).counts(1) == SlotCounts(waiting=4)


def test_opening_a_stage_again_changes_nothing(study_of):
    study = study_of(4, 4)
    open_next(study, 0)
    before = list_stages(study)
    Slots(study).claim("elsewhere/0/0:1:1")
    open_next(study, 0)
    assert list_stages(study) == before
    assert Slots(study).counts(1) == SlotCounts(waiting=3, claimed=1)


def test_the_second_stage_keeps_how_its_box_came_about(study_of, no_stop):
    study = study_of(6, 2)
    work(Slots(study), run_trial, no_stop)
    (_, first), (_, second) = sampled_stages(study)
    assert second.narrowing.old == first.box
    assert second.narrowing.new == second.box != first.box
    assert len(second.narrowing.best) == 3


def test_a_stage_without_results_leaves_the_box_and_the_study_goes_on(study_of, no_stop):
    def fail(_task):
        raise RuntimeError

    study = study_of(2, 1, max_attempts=1)
    work(Slots(study), fail, no_stop)
    assert read_stage(study, 2).plan.box == study.spec.box
    assert Slots(study).counts(2) == SlotCounts(failed=1)


@pytest.mark.parametrize("stage", [2, 3])
def test_given_ranges_are_those_of_every_later_stage(stage, study_of, no_stop):
    study = study_of(2, 2, 2, ranges=BOX)
    work(Slots(study), run_trial, no_stop)
    assert read_stage(study, stage).plan.box == BOX
    assert read_stage(study, stage).plan.narrowing.rule == GIVEN
