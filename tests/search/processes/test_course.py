from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from search.processes.loop import work
from search.slots.slots import Slots
from tests.integration.fake_study import run_trial


def run_with_values(trial):
    for epoch in (1, 2):
        trial.report(epoch, 30.0 / epoch)
    return run_trial(trial)


def trials_of(study):
    return study.storage.rdb.get_all_trials(study.id)


def test_a_trial_has_its_values_and_its_device(study_of, no_stop):
    study = study_of(1)
    work(Slots(study), run_with_values, no_stop, "a processor")
    (trial,) = trials_of(study)
    assert trial.intermediate_values == {1: 30.0, 2: 15.0}
    assert trial.user_attrs["device"] == "a processor"
    assert trial.system_attrs == {}


def test_a_value_that_cannot_be_stored_fails_no_trial(study_of, no_stop, monkeypatch, caplog):
    study = study_of(1)

    def fail(*_):
        raise StorageInternalError("locked")

    monkeypatch.setattr(type(study.storage.rdb), "set_trial_intermediate_value", fail)
    work(Slots(study), run_with_values, no_stop)
    assert [trial.state for trial in trials_of(study)] == [TrialState.COMPLETE]
    assert "the value of step 1 could not be stored: locked" in caplog.text
