"""What only PostgreSQL can do to a search: ask for a password, and go away for a while."""

import signal

import pytest
from sqlalchemy import func, select

from search.storage.database import open_storage, quieten_optuna
from search.storage.tables import slots
from search.study.slots import Slots
from tests import postgres
from tests.integration import fake_study as fake
from tests.waiting import until

pytestmark = pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
def test_a_search_outlasts_its_server_and_loses_nothing(end, study_of, start, processes, postgresql):
    study, all_at_work = study_of(12, 6), processes.Barrier(3)  # a server that has never answered is not waited for
    workers = [start(fake.work_slowly, study.storage.url, all_at_work) for _ in range(3)]
    for enough in (3, 14):
        until(lambda enough=enough: closed(study) >= enough, f"the end of {enough} trials")
        postgresql.stop(end)
        workers[0].join(0.3)  # long enough for every worker to notice
        postgresql.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 3
    assert fake.finished(study) == sorted(fake.expected(study.spec).items())
    assert fake.running(study) == []
    with study.storage.engine.begin() as tx:
        assert tx.scalar(select(func.sum(slots.c.losses + slots.c.failures))) == 0


def closed(study):
    return sum(Slots(study).counts(stage).finished for stage in (1, 2))


@pytest.fixture
def guarded(storage_url, postgresql):
    """The URL of the storage for a user who needs a password."""
    storage = open_storage(storage_url)
    fake.create_or_resume(storage, "age", fake.spec_of(2))
    storage.engine.dispose()
    return postgresql.url(storage_url.partition("@/")[2].partition("?")[0], user=postgres.GUARDED)


def password_in(way, monkeypatch, tmp_path):
    """Put the password where `way` says."""
    path = tmp_path / "password"
    path.touch(mode=0o600)
    if way == "AGESEARCH_STORAGE_PASSWORD":
        monkeypatch.setenv(way, postgres.PASSWORD)
    elif way == "AGESEARCH_STORAGE_PASSWORD_FILE":
        path.write_text(postgres.PASSWORD)
        monkeypatch.setenv(way, str(path))
    else:
        escaped = postgres.PASSWORD.replace(":", "\\:")
        path.write_text(f"*:*:*:{postgres.GUARDED}:{escaped}")
        monkeypatch.setenv(way, str(path))


@pytest.mark.parametrize("way", ["AGESEARCH_STORAGE_PASSWORD", "AGESEARCH_STORAGE_PASSWORD_FILE", "PGPASSFILE"])
def test_a_password_may_come_three_ways_and_is_shown_in_none(way, guarded, agesearch, monkeypatch, tmp_path):
    password_in(way, monkeypatch, tmp_path)
    ended = agesearch("status", "--storage", guarded)
    assert ended.code == 0
    assert "0/2 finished" in ended.out
    assert postgres.PASSWORD not in ended.out + ended.err


def test_without_the_password_one_sentence_says_so(guarded, refused):
    assert "cannot be used" in refused("status", "--storage", guarded)


def test_a_wrong_password_is_refused_and_not_shown(guarded, refused, monkeypatch):
    monkeypatch.setenv("AGESEARCH_STORAGE_PASSWORD", "wrong one")
    said = refused("status", "--storage", guarded)
    assert "password authentication failed" in said
    assert "wrong" not in said
    monkeypatch.delenv("AGESEARCH_STORAGE_PASSWORD")
    assert "in the url" not in refused("status", "--storage", guarded.replace("guarded@", "guarded:in the url@"))


def test_a_traceback_shows_no_password(guarded, agesearch, monkeypatch):
    monkeypatch.setenv("AGESEARCH_STORAGE_PASSWORD", "wrong one")
    ended = agesearch("status", "--storage", guarded, "--debug")
    assert "Traceback" in ended.err
    assert "wrong" not in ended.err


def test_a_server_that_is_not_there_is_named_at_once(storage_url, failed):
    quieten_optuna()
    assert "cannot be used" in failed("status", "--storage", storage_url.replace("host=", "host=/nowhere"))
