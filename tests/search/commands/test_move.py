import json

import pytest

from search.storage.database import open_storage
from search.study.study import load_study
from tests.integration import fake_study as fake
from tests.search.tiny import work_off


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
