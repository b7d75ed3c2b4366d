import pytest
from optuna.trial import TrialState

from search.run.loop import work
from search.space.box import Box
from search.space.learning_samplers import Seen
from search.space.narrowing import GIVEN
from search.space.ranges import LogRange
from search.study.finished import seen_trials
from search.study.plans import Finalists, Sampled, Variants
from search.study.slots import SlotCounts, Slots
from search.study.stages import list_stages, open_next, read_stage, sampled_stages
from search.study.trial import Diverged, Pruned
from search.study.variants import Experiment
from tests.integration import fake_study as fake
from tests.integration.fake_study import expected, finalist_budget, finished, run_trial, variant
from tests.search.tiny import run_variant, work_off, work_some

BOX = Box((LogRange("learning_rate", 1e-5, 1e-3), LogRange("l2", 1e-5, 1e-3)))


def test_the_first_stage_has_the_studys_box_and_no_narrowing(study_of):
    study = study_of(4, 4)
    assert list_stages(study) == ()
    open_next(study, 0)
    stage = read_stage(study, 1)
    assert stage.plan == Sampled(4, study.spec.box, None, {"images": 500, "epochs": 5})
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


BUDGET = finalist_budget(3, 2, 700, 8)


def test_after_the_last_stage_the_best_configurations_of_all_are_trained_again(study_of, no_stop):
    study = study_of(4, 3, finalists=BUDGET)
    work(Slots(study), run_trial, no_stop)
    assert finished(study) == sorted(expected(study.spec).items())
    plan = list_stages(study)[2].plan
    assert (plan.repeats, plan.budget) == (2, {"images": 700, "epochs": 8})
    ranked = sorted(value for place, (_, value) in expected(study.spec).items() if place[0] < 3)
    assert [each.score for each in plan.candidates] == ranked[:3]
    assert [number for number, _ in sampled_stages(study)] == [1, 2]


def test_finalists_are_no_more_than_the_trials_with_a_value(study_of, no_stop):
    study = study_of(4, finalists=BUDGET)
    work(Slots(study), lambda task: run_trial(task) if task.slot < 2 else Diverged("nan"), no_stop)
    assert Slots(study).counts(2) == SlotCounts(finished=4)


def test_a_study_whose_trials_all_diverge_ends_without_finalist_budget(study_of, no_stop):
    study = study_of(2, finalists=BUDGET)
    work(Slots(study), lambda _task: Diverged("nan"), no_stop)
    plan = list_stages(study)[1].plan
    assert isinstance(plan, Finalists)
    assert plan.candidates == ()
    assert Slots(study).counts(2) == SlotCounts()


def test_the_box_of_the_finalists_holds_them_whatever_ranges_were_given(study_of, no_stop):
    given = Box((LogRange("learning_rate", 1e-2, 1e-1), LogRange("l2", 1e2, 1e3)))
    study = study_of(2, 2, ranges=given, finalists=finalist_budget(4, 2, 1, 1))
    work(Slots(study), run_trial, no_stop)
    assert list_stages(study)[2].plan.box == Box((LogRange("learning_rate", 1e-6, 1e-1), LogRange("l2", 1e-6, 1e3)))
    assert len(finished(study)) == 2 + 2 + 8


def test_the_only_stage_of_an_experiment_is_that_of_its_variants(study_of, no_stop):
    experiment = Experiment(
        "batch-size", tuple(variant(size, {"batch_size": int(size)}, 5, 2, 2) for size in ("32", "64"))
    )
    study = study_of(4, experiment=experiment)
    work(Slots(study), run_variant, no_stop)
    assert [stage.plan for stage in list_stages(study)] == [Variants(experiment)]
    assert [params for _, (params, _) in finished(study)] == [
        {"variant": size, "batch_size": int(size)} for size in ("32", "32", "64", "64")
    ]
    assert sampled_stages(study) == ()


OWNER = "elsewhere:1:1"


def seen_by(study, claim):
    with study.storage.engine.begin() as tx:
        return seen_trials(tx, study, claim.stage, claim.slot)


def test_one_worker_runs_the_search_that_its_seed_decides(study_of):
    study = study_of(9, 6, sampler="tpe")
    work_off(study)
    assert fake.finished(study) == sorted(fake.expected_of_one(study.spec).items())


def test_what_ended_without_a_score_is_seen_and_what_runs_elsewhere(study_of):
    def some_end_badly(task):
        if task.slot == 1:
            raise OSError("out of memory")
        return Diverged("nan") if task.slot == 2 else run_trial(task)

    study = study_of(6, sampler="tpe", max_attempts=1)
    work_some(study, 4, some_end_badly)
    slots = Slots(study)
    slots.assigned(slots.claim(OWNER))
    found = seen_by(study, slots.claim(OWNER))
    assert [(each.slot, each.ended, each.score is None) for each in found] == [
        (0, True, False), (1, True, True), (2, True, True), (3, True, False), (4, False, True),
    ]  # fmt: skip
    params = {trial.user_attrs["slot"]: trial.params for trial in study.storage.rdb.get_all_trials(study.id)}
    assert [each.params for each in found] == [params[slot] for slot in range(5)]
    assert isinstance(found[0], Seen)


def test_of_a_pruned_trial_the_last_report_is_seen(study_of):
    def pruned(task):
        for epoch, error in ((1, 30.0), (2, 25.0)):
            task.report(epoch, error)
        endings = {1: Pruned("it is behind", 2), 2: Diverged("nan")}
        return endings.get(task.slot) or run_trial(task)

    study = study_of(6, sampler="tpe")
    work_some(study, 3, pruned)
    found = seen_by(study, Slots(study).claim(OWNER))
    assert [(each.score is None, each.last) for each in found] == [(False, None), (True, (2, 25.0)), (True, None)]


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_later_attempt_has_the_parameters_of_the_first_whatever_has_been_learnt_since(sampler, study_of):
    study = study_of(20, sampler=sampler)
    work_some(study, 13)
    slots = Slots(study)
    first = slots.claim(OWNER)
    given = slots.assigned(first)
    assert slots.assigned(first) == given  # as where the answer of the storage was lost
    work_some(study, 3)  # of other slots
    assert seen_by(study, first)[-1].slot == 16
    slots.give_back(first, "its worker was stopped")
    again = slots.claim(OWNER)
    assert (again.slot, again.token) == (13, 2)
    assert slots.assigned(again) == given == again.assignment


def test_a_slot_whose_trial_got_no_parameters_is_sampled_at_its_next_claim(study_of):
    study = study_of(20, sampler="tpe")
    work_some(study, 13)
    slots = Slots(study)
    stage, claim = read_stage(study, 1), slots.claim(OWNER)
    assert claim.assignment.params == {}
    given = stage.given(study.spec.seed, claim.slot, seen_by(study, claim))
    slots.give_back(claim, "its worker was stopped")
    again = slots.claim(OWNER)
    assert slots.assigned(again) == given
    (trial,) = (each for each in study.storage.rdb.get_all_trials(study.id) if each._trial_id == again.trial)
    assert trial.params == given.params


def test_a_configuration_that_is_enqueued_is_tried_by_a_sampler_that_learns_too(study_of):
    study = study_of(3, sampler="cmaes", enqueued=((("l2", 1e-3),),))
    work_off(study)
    values = [params["l2"] for _, (params, _) in fake.finished(study)]
    assert values[0] == 1e-3
    assert 1e-3 not in values[1:]
    assert {trial.state for trial in study.storage.rdb.get_all_trials(study.id)} == {TrialState.COMPLETE}
