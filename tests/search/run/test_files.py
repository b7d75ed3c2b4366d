from dataclasses import replace

import pytest
from optuna.artifacts import get_all_artifact_meta
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from search.run.loop import Workplace, work
from search.storage.artifacts import ArtifactFolder
from search.study.slots import Slots
from search.study.trial import Diverged
from tests.integration.fake_study import run_trial


@pytest.fixture
def folder(tmp_path):
    return ArtifactFolder(tmp_path / "artifacts")


def trials_of(study):
    return study.storage.rdb.get_all_trials(study.id)


def files_of(study):
    """Kind and id of each artifact of the first trial, by its name."""
    found = get_all_artifact_meta(trials_of(study)[0], storage=study.storage.rdb)
    return {each.filename: (each.mimetype, each.artifact_id) for each in found}


def run_and_keep(trial):
    return replace(run_trial(trial), files={"best.keras": b"a network", "curve.svg": b"<svg/>"})


def test_a_file_that_a_trial_ends_with_is_attached_by_its_name_and_kind(study_of, no_stop, folder):
    study = study_of(1)
    work(Slots(study), run_and_keep, no_stop, Workplace("", folder))
    found = files_of(study)
    assert {name: kind for name, (kind, _) in found.items()} == {
        "best.keras": "application/octet-stream",
        "curve.svg": "image/svg+xml",
    }
    assert folder.open_reader(found["best.keras"][1]).read() == b"a network"


def test_the_files_that_a_trial_leaves_in_its_folder_are_attached_and_the_folder_is_gone(study_of, no_stop, folder):
    folders = []

    def leave(trial):
        folders.append(trial.folder)
        (trial.folder / "plots").mkdir()
        (trial.folder / "plots" / "loss.png").write_bytes(b"a plot")
        (trial.folder / "notes.txt").write_bytes(b"in the folder")
        return replace(run_trial(trial), files={"notes.txt": b"of the ending"})

    study = study_of(2)
    work(Slots(study), leave, no_stop, Workplace("", folder))
    found = files_of(study)
    assert folder.open_reader(found["plots/loss.png"][1]).read() == b"a plot"
    assert folder.open_reader(found["notes.txt"][1]).read() == b"of the ending"
    assert len(found) == 2
    assert len(set(folders)) == 2
    assert not any(each.exists() for each in folders)


def test_files_are_there_before_the_trial_has_ended(study_of, no_stop, folder, monkeypatch):
    study, states = study_of(1), []
    write = ArtifactFolder.write

    def written(self, *arguments):
        states.append(trials_of(study)[0].state)
        write(self, *arguments)

    monkeypatch.setattr(ArtifactFolder, "write", written)
    work(Slots(study), run_and_keep, no_stop, Workplace("", folder))
    assert states == [TrialState.RUNNING] * 2


def test_a_file_that_has_nowhere_to_go_is_reported_and_fails_no_trial(study_of, no_stop, caplog):
    study = study_of(1)
    work(Slots(study), run_and_keep, no_stop)
    assert trials_of(study)[0].state is TrialState.COMPLETE
    assert "best.keras is not kept: there is no folder for artifacts" in caplog.text


@pytest.mark.parametrize("error", [OSError("no space left"), ValueError("anything"), StorageInternalError("locked")])
def test_a_file_that_cannot_be_stored_fails_no_trial(error, study_of, no_stop, folder, monkeypatch, caplog):
    def fail(*_):
        raise error

    monkeypatch.setattr(ArtifactFolder, "write", fail)
    study = study_of(2)
    work(Slots(study), run_and_keep, no_stop, Workplace("", folder))
    assert [(trial.state, trial.value is None) for trial in trials_of(study)] == [(TrialState.COMPLETE, False)] * 2
    assert f"best.keras could not be stored: {error}" in caplog.text


def test_a_folder_that_is_a_file_fails_no_trial(study_of, no_stop, tmp_path):
    (tmp_path / "file").touch()
    study = study_of(1)
    work(Slots(study), run_and_keep, no_stop, Workplace("", ArtifactFolder(tmp_path / "file")))
    assert [trial.state for trial in trials_of(study)] == [TrialState.COMPLETE]


def test_a_diverged_trial_keeps_its_files(study_of, no_stop, folder):
    study = study_of(1)
    work(
        Slots(study),
        lambda _trial: Diverged("nan", {"curve.svg": b"as far as it went"}),
        no_stop,
        Workplace("", folder),
    )
    assert folder.open_reader(files_of(study)["curve.svg"][1]).read() == b"as far as it went"


def test_without_files_no_folder_is_made(study_of, no_stop, folder):
    work(Slots(study_of(1, 1)), run_trial, no_stop, Workplace("", folder))
    assert not folder.path.exists()


def test_without_a_folder_for_artifacts_a_trial_has_none(study_of, no_stop):
    folders = []
    work(Slots(study_of(1)), lambda trial: folders.append(trial.folder) or run_trial(trial), no_stop)
    assert folders == [None]
