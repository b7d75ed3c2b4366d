from search.run.loop import work
from search.study.finished import best_finished, finished_trials, measured
from search.study.slots import Slots
from search.study.trial import Diverged
from tests.integration.fake_study import expected, run_trial
from tests.outcomes import outcome_of


def test_the_finished_trials_of_a_stage_are_read_with_their_values_and_parameters(study_of, storage, no_stop):
    study = study_of(3, 2)
    work(Slots(study), run_trial, no_stop)
    with storage.engine.begin() as tx:
        read = {
            (stage, trial.slot): (trial.params, trial.value)
            for stage in (1, 2)
            for trial in finished_trials(tx, study.name, stage)
        }
    assert read == expected(study.spec)


def test_a_trial_without_a_value_is_left_out(study_of, storage, no_stop):
    study = study_of(2)
    work(Slots(study), lambda task: run_trial(task) if task.slot else Diverged("the loss is nan"), no_stop)
    with storage.engine.begin() as tx:
        assert [(trial.slot, trial.number) for trial in finished_trials(tx, study.name, 1)] == [(1, 1)]


def test_the_best_trials_of_all_stages_come_best_first(study_of, storage, no_stop):
    study = study_of(3, 2)
    work(Slots(study), run_trial, no_stop)
    with storage.engine.begin() as tx:
        best = best_finished(tx, study, 4)
    assert [value for _, value in best] == sorted(value for _, value in expected(study.spec).values())[:4]


def test_equal_values_come_in_the_order_of_their_slots(study_of, storage, no_stop):
    study = study_of(3)
    work(Slots(study), lambda _: outcome_of(20.0, 20.0, 1.0, 0.5), no_stop)
    with storage.engine.begin() as tx:
        best = best_finished(tx, study, 3)
    assert [storage.rdb.get_trial(number).user_attrs["slot"] for number, _ in best] == [0, 1, 2]


def test_what_the_trials_of_a_stage_measured_is_read_by_slot(study_of, storage, no_stop):
    study = study_of(2, 1)
    work(Slots(study), lambda task: outcome_of(20.0, 19.0 + task.slot, 1.0, 0.5), no_stop)
    with storage.engine.begin() as tx:
        assert measured(tx, study.name, 1, "validation_mae") == {0: 19.0, 1: 20.0}
        assert measured(tx, study.name, 2, "penalty") == {0: 0.5}
        assert measured(tx, study.name, 1, "no such thing") == {}
