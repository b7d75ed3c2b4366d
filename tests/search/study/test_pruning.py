import math

import pytest
from optuna.trial import TrialState

from search.results.choice import choose
from search.results.summary import summary
from search.space.score import Score
from search.storage.failures import storage_errors
from search.study.plans import Finalists
from search.study.pruning import Rivals, by_halving, by_median, least_whole
from search.study.slots import SlotCounts, Slots
from search.study.stages import list_stages
from search.study.trial import Diverged, Pruned
from tests.integration import fake_study as fake
from tests.integration.fake_study import finalist_budget, run_trial, run_with_errors
from tests.search.tiny import work_off

FIVE = Rivals(whole=(10.0, 11.0, 12.0, 13.0, 14.0), slots=20)


@pytest.mark.parametrize(
    ("errors", "pruned"),
    [({1: 12.0}, False), ({1: 12.1}, True), ({1: 11.0, 2: 19.0}, False), ({1: 13.0, 2: 12.5}, True)],
)
def test_the_median_prunes_a_trial_whose_best_error_is_above_it(errors, pruned):
    assert bool(by_median(errors, FIVE)) is pruned


def test_the_median_of_fewer_than_five_whole_trials_prunes_nothing():
    assert by_median({1: 99.0}, Rivals(whole=FIVE.whole[:4], others=FIVE.whole)) == ""


@pytest.mark.parametrize(
    ("error", "rivals", "pruned"),
    [
        (99.0, (), False),
        (99.0, (10.0, 11.0, 12.0), False),
        (10.5, (10.0, 11.0, 12.0, 13.0), False),
        (11.5, (10.0, 11.0, 12.0, 13.0), True),
        (99.0, (10.0, 11.0, 12.0, 13.0), True),
    ],
)
def test_halving_lets_the_better_half_of_those_that_reached_a_rung_go_on_once_five_have(error, rivals, pruned):
    assert bool(by_halving({1: error}, Rivals(whole=rivals[:1], others=rivals[1:], slots=20))) is pruned


@pytest.mark.parametrize(
    ("slots", "early", "running", "pruned"),
    [(20, 12, 0, True), (20, 13, 0, False), (20, 10, 3, False), (5, 0, 0, False)],
)
def test_halving_leaves_a_third_of_a_stage_whole_though_all_that_run_were_pruned(slots, early, running, pruned):
    rivals = Rivals((10.0, 11.0, 12.0, 13.0), slots=slots, pruned=early, running=running)
    assert bool(by_halving({1: 99.0}, rivals)) is pruned


def test_a_score_to_maximise_is_judged_the_other_way_and_shown_as_it_is():
    accuracy, losses = Score(direction="maximize"), (-0.9, -0.8, -0.7, -0.6, -0.5)
    rivals = Rivals(losses, slots=20)
    assert by_halving({1: -0.95}, rivals, accuracy) == ""
    assert "its value after step 1, 0.400, is number 6 of 6" in by_halving({1: -0.4}, rivals, accuracy)
    assert "0.400, is worse than 0.700, the median" in by_median({1: -0.4}, rivals, accuracy)


def test_halving_judges_after_epochs_that_are_powers_of_two():
    worst = Rivals(whole=(1.0, 2.0, 3.0, 4.0), slots=20)
    pruned = [epoch for epoch in range(1, 17) if by_halving(dict.fromkeys(range(1, epoch + 1), 99.0), worst)]
    assert pruned == [1, 2, 4, 8, 16]


def test_the_reason_says_what_was_compared():
    assert by_median({1: 15.0}, FIVE) == (
        "its best value up to step 1, 15.000, is worse than 12.000, the median of 5 whole trials"
    )
    assert by_halving({2: 15.0}, FIVE) == "its value after step 2, 15.000, is number 6 of 6; 3 may go on"


@pytest.mark.parametrize("rule", ["median", "halving"])
def test_pruned_trials_are_finished_ones_without_a_value_and_no_candidates(rule, study_of):
    study = study_of(16, 8, pruning=rule, epochs=4, finalists=finalist_budget(30, 2, images=100, epochs=4))
    work_off(study, run_with_errors)
    trials = study.storage.rdb.get_all_trials(study.id)
    pruned = [trial for trial in trials if trial.state is TrialState.PRUNED]
    assert {trial.state for trial in trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert 4 <= len(pruned) <= 24 - least_whole(16) - least_whole(8)
    for trial in pruned:
        assert trial.value is None
        assert trial.last_step == trial.user_attrs["pruned_after"] < 4
        assert trial.user_attrs["reason"].startswith("its ")
    stages = list_stages(study)
    assert [Slots(study).counts(stage.number) for stage in stages[:2]] == [
        SlotCounts(finished=16),
        SlotCounts(finished=8),
    ]
    assert isinstance(stages[2].plan, Finalists)
    assert len(stages[2].plan.candidates) == 24 - len(pruned)
    whole = [trial for trial in trials if trial.user_attrs["stage"] == 3]
    assert {trial.state for trial in whole} == {TrialState.COMPLETE}
    assert choose(study).trial.number not in {trial.number for trial in pruned}
    of_stage = [sum(trial.user_attrs["stage"] == stage for trial in pruned) for stage in (1, 2)]
    assert [each.pruned for each in summary(study).stages] == [*of_stage, 0]
    assert f"stage 1: 16/16 finished ({of_stage[0]} pruned); " in summary(study).lines()[1]
    assert "only with one worker" in summary(study).lines()[-1]


def test_pruning_spares_the_better_trials(study_of):
    study = study_of(16, pruning="halving", epochs=4)
    work_off(study, run_with_errors)
    values = {place: value for place, (_, value) in fake.expected(study.spec).items()}
    ended = {place for place, (_, value) in fake.finished(study) if value is not None}
    best = sorted(values, key=values.get)[:2]
    assert set(best) & ended
    assert max(values, key=values.get) not in ended


def test_one_worker_prunes_the_same_trials_again(study_of, tmp_path):
    studies = [
        study_of(12, pruning="halving", epochs=4),
        fake.new_study(tmp_path, fake.spec_of(12, pruning="halving", epochs=4)),
    ]
    for study in studies:
        work_off(study, run_with_errors)
    assert fake.finished(studies[0]) == fake.finished(studies[1])
    studies[1].storage.engine.dispose()


def test_attempts_that_were_given_up_and_errors_that_are_no_numbers_are_no_rivals(study_of):
    def fail_or_report(trial):
        if trial.slot == 0 and trial.attempt == 1:
            trial.report(1, 0.001)
            raise OSError("out of memory")
        trial.report(1, math.nan if trial.slot == 0 else 50.0)
        assert trial.should_prune() == ""  # it is the only one
        return run_trial(trial)

    study = study_of(2, pruning="halving", epochs=4)
    work_off(study, fail_or_report)
    assert Slots(study).counts(1) == SlotCounts(finished=2)


def test_a_storage_that_cannot_tell_prunes_nothing(study_of, caplog):
    def lose_the_table(trial):
        trial.report(1, 50.0)
        with study.storage.engine.begin() as tx:
            tx.exec_driver_sql("alter table trial_intermediate_values rename to elsewhere")
        assert trial.should_prune() == ""
        with study.storage.engine.begin() as tx:
            tx.exec_driver_sql("alter table elsewhere rename to trial_intermediate_values")
        return run_trial(trial)

    study = study_of(1, pruning="halving", epochs=4)
    with storage_errors(study.storage):
        work_off(study, lose_the_table)
    assert "the trial goes on" in caplog.text


def test_finalists_are_never_pruned(study_of):
    study = study_of(3, pruning="median", finalists=finalist_budget(1, 2, images=100, epochs=4))
    work_off(study, run_with_errors)
    given = [stage.assignment(1, 0).pruning for stage in list_stages(study)]
    assert given == ["median", None]


@pytest.mark.parametrize("rule", ["median", "halving"])
@pytest.mark.parametrize(("well", "pruned"), [(6, True), (5, False)])
def test_a_third_of_a_stage_comes_to_its_end_though_others_diverge(rule, well, pruned, study_of):
    asked = []

    def run_first_ones_well(trial):
        if well <= trial.slot < 17:
            return Diverged("the loss is not finite")
        trial.report(1, 99.0 if trial.slot == 17 else 20.0 - trial.slot)
        asked.append(bool(reason := trial.should_prune()))
        return Pruned(reason, 1) if reason else run_trial(trial)

    work_off(study_of(18, pruning=rule, epochs=4), run_first_ones_well)
    assert asked[:5] == [False] * 5
    assert asked[-1] is pruned


def test_a_value_that_is_no_number_is_the_worst_and_a_later_one_may_be_better(study_of):
    asked = []

    def run_better_late(trial):
        for step, value in ((1, math.nan if trial.slot == 5 else 20.0), (2, 10.0 - trial.slot)):
            trial.report(step, value)
        asked.append(trial.should_prune())
        return run_trial(trial)

    work_off(study_of(12, pruning="median", epochs=4), run_better_late)
    assert asked[5] == ""
