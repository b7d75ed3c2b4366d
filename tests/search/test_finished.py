from search.finished import finished_trials
from search.slots import Slots
from search.trials import Diverged
from search.worker import work
from tests.integration.fake_study import expected, run_trial


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
