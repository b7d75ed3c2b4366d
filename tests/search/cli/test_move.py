import io
import json

import pytest

from search.storage.artifacts import ArtifactFolder, folder_beside
from search.storage.database import open_storage
from search.study.study import load_study
from tests.integration import fake_study as fake
from tests.search.tiny import work_off

ID, GONE = "0c6a2bd4-6a6e-4a8c-9f53-2f8f3f4a9c11", "0c6a2bd4-6a6e-4a8c-9f53-2f8f3f4a9c12"


@pytest.fixture
def urls(tmp_path):
    """The URLs of a storage with a finished study `age`, and of one that is not there yet."""
    storage = fake.new_storage(tmp_path)
    work_off(fake.create_or_resume(storage, "age", fake.spec_of(2, 1)))
    return storage.url, f"sqlite:///{tmp_path}/there/study.db"


def test_a_study_is_copied_and_it_is_said_what(urls, agesearch):
    source, target = urls
    ended = agesearch("move", "--from", source, "--to", target)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("study age: 3 trials, 2 stages and 3 slots copied\nall ")
    study = load_study(open_storage(target), "age")
    assert fake.finished(study) == sorted(fake.expected(study.spec).items())


def test_the_files_of_artifacts_go_along(urls, agesearch, tmp_path):
    source, target = urls
    storage = open_storage(source)
    for named in (ID, GONE):
        storage.rdb.set_study_system_attr(load_study(storage, "age").id, f"artifacts:{named}", "{}")
    folder_beside(source).write(ID, io.BytesIO(b"a curve"))
    ended = agesearch("move", "--from", source, "--to", target)
    assert "\n1 files of artifacts copied; 1 not found\n" in ended.out
    (file,) = (tmp_path / "there/study.db.artifacts").iterdir()
    assert (file.name, file.read_bytes()) == (ID, b"a curve")


def test_files_that_the_setting_had_put_elsewhere_are_found_there(urls, agesearch, tmp_path):
    source, target = urls
    storage = open_storage(source)
    storage.rdb.set_study_system_attr(load_study(storage, "age").id, f"artifacts:{ID}", "{}")
    ArtifactFolder(tmp_path / "pictures").write(ID, io.BytesIO(b"a curve"))
    ended = agesearch("move", "--from", source, "--to", target, "--artifacts", "pictures")
    assert "\n1 files of artifacts copied\n" in ended.out
    assert folder_beside(target).open_reader(ID).read() == b"a curve"


def test_the_answer_may_be_json(urls, agesearch):
    source, target = urls
    answer = json.loads(agesearch("move", "--from", source, "--to", target, "--json").out)
    assert (answer["trials"], answer["stages"], answer["slots"]) == (3, 2, 3)


def test_a_second_copy_is_refused(urls, agesearch, refused):
    source, target = urls
    agesearch("move", "--from", source, "--to", target)
    assert "has a study 'age' already" in refused("move", "--from", source, "--to", target)


def test_a_storage_into_itself_is_refused(urls, refused):
    source, _ = urls
    again = source.replace("study.db", "./study.db")
    assert refused("move", "--from", source, "--to", again) == "--from and --to are the same storage"


def test_both_storages_have_to_be_named(urls, refused):
    assert "missing option '--to'" in refused("move", "--from", urls[0])
