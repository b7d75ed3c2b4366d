import pytest

from search.processes.worker import work
from search.slots.slots import SlotCounts, Slots
from search.space.box import Box, LogRange
from search.study.planning import slot_costs, stage_sizes
from search.study.plans import Finalists, Variants
from search.study.stages import list_stages, sampled_stages
from search.study.study import FinalistBudget
from search.study.trials import Diverged
from search.study.variants import Experiment, Variant
from tests.integration.fake_study import expected, finished, run_trial, spec_of
from tests.search.tiny import run_variant

BUDGET = FinalistBudget(configurations=3, repeats=2, images=700, epochs=8)


def test_stages_have_the_sizes_asked_for_and_the_finalists_as_many_as_there_can_be():
    assert stage_sizes(spec_of(6, 6)) == (6, 6)
    assert stage_sizes(spec_of(6, 6, finalists=BUDGET)) == (6, 6, 6)
    assert stage_sizes(spec_of(1, 1, finalists=BUDGET)) == (1, 1, 4)


def test_a_slot_costs_its_images_times_its_epochs():
    assert slot_costs(spec_of(2, 1)) == (2500, 2500, 2500)
    own = BUDGET.images * BUDGET.epochs
    assert slot_costs(spec_of(1, 1, finalists=BUDGET)) == (2500, 2500, own, own, own, own)
    variants = (Variant("short", {"width": 8}, 7, 3, 2), Variant("long", {"width": 8}, 70, 30, 1))
    assert slot_costs(spec_of(3, experiment=Experiment("widths", variants))) == (21, 21, 2100)


def test_after_the_last_stage_the_best_configurations_of_all_are_trained_again(study_of, no_stop):
    study = study_of(4, 3, finalists=BUDGET)
    work(Slots(study), run_trial, no_stop)
    assert finished(study) == sorted(expected(study.spec).items())
    plan = list_stages(study)[2].plan
    assert (plan.repeats, plan.images, plan.epochs) == (2, 700, 8)
    ranked = sorted(value for place, (_, value) in expected(study.spec).items() if place[0] < 3)
    assert [each.score for each in plan.candidates] == ranked[:3]
    assert [number for number, _ in sampled_stages(study)] == [1, 2]


def test_finalists_are_no_more_than_the_trials_with_a_value(study_of, no_stop):
    study = study_of(4, finalists=BUDGET)
    work(Slots(study), lambda task: run_trial(task) if task.slot < 2 else Diverged("nan"), no_stop)
    assert Slots(study).counts(2) == SlotCounts(finished=4)


def test_a_study_whose_trials_all_diverge_ends_without_finalists(study_of, no_stop):
    study = study_of(2, finalists=BUDGET)
    work(Slots(study), lambda _task: Diverged("nan"), no_stop)
    plan = list_stages(study)[1].plan
    assert isinstance(plan, Finalists)
    assert plan.candidates == ()
    assert Slots(study).counts(2) == SlotCounts()


def test_the_box_of_the_finalists_holds_them_whatever_ranges_were_given(study_of, no_stop):
    given = Box((LogRange("learning_rate", 1e-2, 1e-1), LogRange("l2", 1e2, 1e3)))
    study = study_of(2, 2, ranges=given, finalists=FinalistBudget(4, 2, 1, 1))
    work(Slots(study), run_trial, no_stop)
    assert list_stages(study)[2].plan.box == Box((LogRange("learning_rate", 1e-6, 1e-1), LogRange("l2", 1e-6, 1e3)))
    assert len(finished(study)) == 2 + 2 + 8


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
        FinalistBudget(*budget)


def test_the_only_stage_of_an_experiment_is_that_of_its_variants(study_of, no_stop):
    experiment = Experiment(
        "batch-size", tuple(Variant(size, {"batch_size": int(size)}, 5, 2, 2) for size in ("32", "64"))
    )
    study = study_of(4, experiment=experiment)
    work(Slots(study), run_variant, no_stop)
    assert [stage.plan for stage in list_stages(study)] == [Variants(experiment)]
    assert [params for _, (params, _) in finished(study)] == [
        {"variant": size, "batch_size": int(size)} for size in ("32", "32", "64", "64")
    ]
    assert sampled_stages(study) == ()
