import pytest
from optuna.artifacts import get_all_artifact_meta
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from search.processes.loop import work
from search.slots.slots import Slots
from search.storage.artifacts import ArtifactFolder
from search.study.trials import Diverged
from tests.integration.fake_study import run_trial


@pytest.fixture
def folder(tmp_path):
    return ArtifactFolder(tmp_path / "artifacts")


def run_with_values(task):
    for epoch in (1, 2):
        task.report(epoch, 30.0 / epoch)
    return run_trial(task)


def trials_of(study):
    return study.storage.rdb.get_all_trials(study.id)


def test_a_trial_has_its_values_its_device_and_its_curve(study_of, no_stop, folder):
    study = study_of(1)
    work(Slots(study), run_with_values, no_stop, "a processor", folder)
    (trial,) = trials_of(study)
    assert trial.intermediate_values == {1: 30.0, 2: 15.0}
    assert trial.user_attrs["device"] == "a processor"
    (key,) = trial.system_attrs
    picture = folder.open_reader(key.removeprefix("artifacts:")).read()
    assert b"stage 1, slot 0, attempt 1" in picture
    assert f"validation {trial.value:.2f}".encode() in picture


def test_the_curve_is_there_before_the_trial_has_ended(study_of, no_stop, folder, monkeypatch):
    study, states = study_of(1), []
    write = ArtifactFolder.write

    def written(self, *arguments):
        states.append(trials_of(study)[0].state)
        write(self, *arguments)

    monkeypatch.setattr(ArtifactFolder, "write", written)
    work(Slots(study), run_with_values, no_stop, "", folder)
    assert states == [TrialState.RUNNING]


def run_and_keep(task):
    task.keep("best.keras", b"a network")
    return run_with_values(task)


def test_a_file_that_a_trial_keeps_is_attached_by_its_name(study_of, no_stop, folder):
    study = study_of(1)
    work(Slots(study), run_and_keep, no_stop, "", folder)
    files = {
        each.filename: each.artifact_id
        for each in get_all_artifact_meta(trials_of(study)[0], storage=study.storage.rdb)
    }
    assert set(files) == {"best.keras", "learning_curve.svg"}
    assert folder.open_reader(files["best.keras"]).read() == b"a network"


def test_a_file_that_has_nowhere_to_go_is_told_and_fails_no_trial(study_of, no_stop, caplog):
    study = study_of(1)
    work(Slots(study), run_and_keep, no_stop)
    assert trials_of(study)[0].state is TrialState.COMPLETE
    assert "best.keras is not kept: there is no folder for artifacts" in caplog.text


@pytest.mark.parametrize("error", [OSError("no space left"), ValueError("anything"), StorageInternalError("locked")])
def test_a_curve_that_cannot_be_stored_fails_no_trial(error, study_of, no_stop, folder, monkeypatch, caplog):
    def fail(*_):
        raise error

    monkeypatch.setattr(ArtifactFolder, "write", fail)
    study = study_of(2)
    work(Slots(study), run_and_keep, no_stop, "", folder)
    assert [(trial.state, trial.value is None) for trial in trials_of(study)] == [(TrialState.COMPLETE, False)] * 2
    assert f"the learning curve could not be stored: {error}" in caplog.text


def test_a_folder_that_is_a_file_fails_no_trial(study_of, no_stop, tmp_path):
    (tmp_path / "file").touch()
    study = study_of(1)
    work(Slots(study), run_with_values, no_stop, "", ArtifactFolder(tmp_path / "file"))
    assert [trial.state for trial in trials_of(study)] == [TrialState.COMPLETE]


def test_a_value_that_cannot_be_stored_fails_no_trial(study_of, no_stop, monkeypatch, caplog):
    study = study_of(1)

    def fail(*_):
        raise StorageInternalError("locked")

    monkeypatch.setattr(type(study.storage.rdb), "set_trial_intermediate_value", fail)
    work(Slots(study), run_with_values, no_stop)
    assert [trial.state for trial in trials_of(study)] == [TrialState.COMPLETE]
    assert "the value of epoch 1 could not be stored: locked" in caplog.text


def test_a_diverged_trial_has_a_curve_as_far_as_it_went(study_of, no_stop, folder):
    def diverge(task):
        task.report(1, 30.0)
        return Diverged("the training error of epoch 2 is nan")

    work(Slots(study_of(1)), diverge, no_stop, "", folder)
    (picture,) = folder.path.iterdir()
    assert b"training 30.00" in picture.read_bytes()


def test_without_a_folder_or_values_there_is_no_curve(study_of, no_stop, folder):
    study = study_of(1, 1)
    work(Slots(study), run_trial, no_stop, "", folder)
    assert not folder.path.exists()


def test_without_a_folder_values_are_stored_all_the_same(study_of, no_stop):
    study = study_of(1)
    work(Slots(study), run_with_values, no_stop)
    assert trials_of(study)[0].intermediate_values == {1: 30.0, 2: 15.0}
    assert trials_of(study)[0].system_attrs == {}


def test_the_validation_error_is_stored_where_a_trial_has_one_and_the_curve_stays_that_of_training(
    study_of, no_stop, folder
):
    def validated(task):
        for epoch in (1, 2):
            task.report(epoch, 30.0 / epoch, 40.0 / epoch)
        return run_trial(task)

    study = study_of(1)
    work(Slots(study), validated, no_stop, "", folder)
    (trial,) = trials_of(study)
    assert trial.intermediate_values == {1: 40.0, 2: 20.0}
    (key,) = trial.system_attrs
    assert b"training 15.00" in folder.open_reader(key.removeprefix("artifacts:")).read()
