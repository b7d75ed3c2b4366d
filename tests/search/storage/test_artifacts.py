import io
import json
import os
import time
import uuid
from pathlib import Path

import pytest
from optuna.artifacts.exceptions import ArtifactNotFound

from search.errors import SearchFailure
from search.settings.settings import Settings
from search.storage.artifacts import ArtifactFolder, artifact_folder, unattached
from tests.integration.fake_study import run_trial
from tests.search.tiny import attach, work_off

ID = "0c6a2bd4-6a6e-4a8c-9f53-2f8f3f4a9c11"


@pytest.fixture
def folder(tmp_path):
    return ArtifactFolder(tmp_path / "artifacts")


def test_what_is_written_is_read_until_it_is_removed(folder):
    folder.write(ID, io.BytesIO(b"a curve"))
    assert folder.open_reader(ID).read() == b"a curve"
    assert [path.name for path in folder.path.iterdir()] == [ID]
    folder.remove(ID)
    folder.remove(ID)
    with pytest.raises(ArtifactNotFound):
        folder.open_reader(ID)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", ".", "study.db"])
def test_a_name_that_is_no_id_leads_nowhere(name, folder):
    for use in (folder.open_reader, folder.remove, lambda name: folder.write(name, io.BytesIO())):
        with pytest.raises(ArtifactNotFound):
            use(name)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SearchFailure, match=r"cannot write an artifact into .*choose another --artifacts"):
        ArtifactFolder(tmp_path / "file").write(ID, io.BytesIO(b""))


@pytest.mark.parametrize(
    ("storage", "given", "path"),
    [
        ("sqlite:///runs/study.db", None, "runs/study.db.artifacts"),
        ("sqlite:///runs/study.db", "elsewhere", "elsewhere"),
        ("postgresql+psycopg://host/db", "elsewhere", "elsewhere"),
    ],
)
def test_the_folder_is_beside_the_sqlite_file_or_where_it_is_said_to_be(storage, given, path):
    assert artifact_folder(Settings(storage=storage, artifacts=given)).path == Path(path)


def test_another_database_has_no_folder_of_its_own():
    assert artifact_folder(Settings(storage="postgresql+psycopg://host/db")) is None


def test_an_artifact_is_attached_to_its_trial_as_optuna_does_it(study_of, storage, folder):
    study = study_of(1)

    def with_artifact(task):
        (trial,) = storage.rdb.get_all_trials(study.id)
        attach(storage, folder, trial._trial_id, "curve.svg", b"<svg/>")
        return run_trial(task)

    work_off(study, with_artifact)
    (trial,) = storage.rdb.get_all_trials(study.id)
    ((key, value),) = trial.system_attrs.items()
    described = json.loads(value)
    assert key == f"artifacts:{described['artifact_id']}"
    assert (described["filename"], described["mimetype"]) == ("curve.svg", "image/svg+xml")
    assert folder.open_reader(described["artifact_id"]).read() == b"<svg/>"
    age(folder)
    assert unattached(storage, folder) == ()


def test_files_of_no_trial_and_no_study_are_found_once_they_are_ten_minutes_old(study_of, storage, folder):
    study = study_of(1)
    assert unattached(storage, folder) == ()
    theirs, stray = str(uuid.uuid4()), str(uuid.uuid4())
    storage.rdb.set_study_system_attr(study.id, f"artifacts:{theirs}", "{}")
    for name in (theirs, stray):
        folder.write(name, io.BytesIO(b""))
    assert unattached(storage, folder) == ()
    age(folder)
    assert unattached(storage, folder) == (folder.path / stray,)


def test_what_else_lies_in_the_folder_is_no_stray_artifact(study_of, storage, folder):
    study_of(1)
    upload = ".0123456789ab.tmp"  # which a power cut has left
    for name in ("study.db", "thesis.txt", ".lock", upload):
        folder.path.mkdir(exist_ok=True)
        (folder.path / name).write_bytes(b"")
    age(folder)
    assert unattached(storage, folder) == (folder.path / upload,)


def test_a_file_that_is_removed_while_it_is_looked_at_ends_nothing(study_of, storage, folder, monkeypatch):
    study_of(1)
    folder.write(name := str(uuid.uuid4()), io.BytesIO(b""))
    age(folder)
    stat = Path.stat

    def last_look(path, **how):
        found = stat(path, **how)
        if path.name == name:
            path.unlink()
        return found

    monkeypatch.setattr(Path, "stat", last_look)
    unattached(storage, folder)
    assert unattached(storage, folder) == ()


def age(folder):
    for path in folder.path.iterdir():
        os.utime(path, (time.time() - 601,) * 2)
