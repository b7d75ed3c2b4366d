import errno
import io
import json
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
import waitress
from sqlalchemy import event

from search.dashboard.guard import Guard
from search.dashboard.mounting import Mounted
from search.dashboard.serving import Access, Pages, rules_of, serve
from search.errors import SearchError
from search.settings.settings import Settings
from search.storage.artifacts import artifact_folder
from search.storage.database import open_storage
from search.study.study import load_study
from tests.integration import fake_study
from tests.integration.fake_study import NAME, create_or_resume, run_trial, spec_of
from tests.outcomes import outcome_of
from tests.search.tiny import attach, work_off, work_some


@pytest.fixture
def served(monkeypatch):
    """A server that ends at once, as if by Ctrl-C; returns what it was made with, and what happened to it."""
    seen = SimpleNamespace(settings=None, ready=[], ended=[])

    def create_server(application, **settings):
        seen.application, seen.settings = application, settings
        return SimpleNamespace(
            effective_port=4711, run=lambda: seen.ended.append("run"), close=lambda: seen.ended.append("close")
        )

    monkeypatch.setattr(waitress, "create_server", create_server)
    return seen


@pytest.fixture
def settings_of(storage, tmp_path):
    def create(**settings):
        return Settings(storage=storage.url, port=0, artifacts=tmp_path / "artifacts", **settings)

    return create


@pytest.fixture
def pages(storage, settings_of):
    return Pages(storage.url, artifact_folder(settings_of()))


def ask(application, path, method="GET", body=b"", query=""):
    """Return the status and the body that an application answers with."""
    started = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "4711",
        "HTTP_HOST": "127.0.0.1:4711",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }
    content = b"".join(application(environ, lambda status, headers, *_: started.append((status, headers))))
    return int(started[-1][0][:3]), content


def trials_of(pages, study):
    status, content = ask(pages, f"/api/studies/{study.id}", query="after=0")
    assert status == 200
    return json.loads(content)["trials"]


@pytest.mark.parametrize(
    ("host", "address", "page"),
    [
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1:4711/"),
        ("localhost", "127.0.0.1", "http://127.0.0.1:4711/"),
        ("127.1.2.3", "127.1.2.3", "http://127.1.2.3:4711/"),
        ("::1", "::1", "http://[::1]:4711/"),
    ],
)
def test_it_listens_where_it_is_told_and_says_where(host, address, page, settings_of, served):
    serve(settings_of(host=host), Access(), served.ready.append)
    assert (served.settings["host"], served.settings["port"]) == (address, 0)
    assert served.ready == [page]
    assert served.ended == ["run", "close"]
    assert isinstance(served.application, Mounted)


def test_without_being_told_it_listens_to_this_machine_alone(settings_of, served):
    serve(settings_of(), Access(), served.ready.append)
    assert served.settings["host"] == "127.0.0.1"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "::ffff:10.0.0.1"])  # noqa: S104  (they are refused)
def test_an_address_that_others_reach_is_refused_without_a_password(host, settings_of, served):
    with pytest.raises(
        SearchError, match="set AGESEARCH_DASHBOARD_PASSWORD or --dashboard-password-file, or say --i-know"
    ):
        serve(settings_of(host=host), Access(), served.ready.append)
    assert served.settings is None


@pytest.mark.parametrize("host", ["example.org", "", "127.0.0.1:80"])
def test_a_host_that_is_no_address_is_refused(host, settings_of):
    with pytest.raises(SearchError, match=f"host is '{host}'; give an address"):
        serve(settings_of(host=host), Access(), print)


def test_any_address_will_do_with_a_password_or_where_the_user_says_it_is_open(settings_of):
    anywhere = "0.0.0.0"  # noqa: S104  (nothing listens)
    with_password = rules_of(settings_of(host=anywhere, dashboard_password="secret"), Access())
    assert (with_password.password, with_password.local) == ("secret", False)
    without = rules_of(settings_of(host=anywhere), Access(is_open=True))
    assert (without.password, without.local) == (None, False)
    assert socket.gethostname().lower() in without.names


def test_a_password_holds_on_the_loopback_interface_too(settings_of):
    assert rules_of(settings_of(dashboard_password="secret"), Access()).password == "secret"  # noqa: S105


def test_a_password_is_read_from_a_file_without_the_line_break(settings_of, tmp_path):
    (tmp_path / "password").write_text(written := " säcret \n")
    (tmp_path / "password").chmod(0o600)
    rules = rules_of(settings_of(dashboard_password_file=tmp_path / "password"), Access())
    assert rules.password == written.removesuffix("\n")


def test_a_password_file_that_others_can_read_is_refused(settings_of, tmp_path):
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o644)
    with pytest.raises(SearchError, match=r"dashboard_password_file .* can be read by others; run: chmod 600"):
        rules_of(settings_of(dashboard_password_file=tmp_path / "password"), Access())


def test_two_passwords_are_refused(settings_of, tmp_path):
    with pytest.raises(SearchError, match="both dashboard_password and dashboard_password_file are set"):
        rules_of(settings_of(dashboard_password="a", dashboard_password_file=tmp_path), Access())


def test_further_names_and_read_only_go_to_the_guard(settings_of):
    rules = rules_of(settings_of(dashboard_hosts=("Ages.example.org",)), Access(read_only=True))
    assert (rules.names, rules.local, rules.read_only) == (frozenset({"ages.example.org"}), True, True)


@pytest.mark.parametrize(
    ("error", "flag"),
    [
        (OSError(errno.EADDRINUSE, "Address already in use"), "--port"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "--host"),
        (socket.gaierror(-2, "Name or service not known"), "--host"),
    ],
)
def test_an_address_that_cannot_be_had_is_refused_with_the_flag_that_is_wrong(error, flag, settings_of, monkeypatch):
    def create_server(*_, **__):
        raise error

    monkeypatch.setattr(waitress, "create_server", create_server)
    with pytest.raises(SearchError, match=rf"cannot listen on 127\.0\.0\.1:0: {error.strerror}; choose another {flag}"):
        serve(settings_of(), Access(), lambda _: None)


def test_a_storage_that_is_not_there_is_refused_and_not_made(tmp_path, served):
    with pytest.raises(SearchError, match="no study storage at"):
        serve(Settings(storage=f"sqlite:///{tmp_path}/none.db"), Access(), served.ready.append)
    assert list(tmp_path.iterdir()) == []


def test_the_studies_of_the_storage_and_their_trials_are_what_it_shows(study_of, pages):
    study = study_of(3)
    assert b'"study_name": "ages"' in ask(pages, "/api/studies")[1]
    work_some(study, 1)
    assert [trial["state"] for trial in trials_of(pages, study)] == ["Complete"]


def test_reading_takes_no_lock_that_a_worker_waits_for(study_of, storage, pages):
    study = study_of(1)
    with storage.engine.begin() as tx:  # the write lock
        tx.exec_driver_sql("select 1")
        assert ask(pages, "/api/studies")[0] == 200
        assert trials_of(pages, study) == []
        assert pages.healthy()


def test_a_note_can_be_written_and_read(study_of, pages):
    study = study_of(1)
    body = json.dumps({"version": 1, "body": "well done"}).encode()
    assert ask(pages, f"/api/studies/{study.id}/note", "PUT", body)[0] == 204
    assert b"well done" in ask(pages, f"/api/studies/{study.id}", query="after=0")[1]


def test_a_study_that_was_deleted_and_made_anew_does_not_show_its_old_trials(study_of, storage, pages):
    study = study_of(2)
    work_off(study)
    assert len(trials_of(pages, study)) == 2
    storage.rdb.delete_study(study.id)
    anew = create_or_resume(storage, NAME, spec_of(2))
    assert trials_of(pages, anew) == []


def test_a_study_can_be_deleted_with_its_artifacts_even_where_one_is_missing(study_of, storage, pages, settings_of):
    study, folder = study_of(2), artifact_folder(settings_of())

    def with_artifact(trial):
        running = storage.rdb.get_all_trials(study.id)[-1]
        attach(storage, folder, running._trial_id, "a.txt", b"a")
        return run_trial(trial)

    work_off(study, with_artifact)
    first, second = folder.path.iterdir()
    first.unlink()
    assert ask(pages, f"/api/studies/{study.id}", "DELETE", b"{}")[0] == 204
    assert not second.exists()
    with pytest.raises(SearchError, match="no study"):
        load_study(storage, study.name)


def test_an_artifact_that_is_missing_is_not_found(study_of, storage, pages, settings_of):
    study, folder = study_of(1), artifact_folder(settings_of())
    running = []

    def with_artifact(_trial):
        running.append(storage.rdb.get_all_trials(study.id)[-1]._trial_id)
        attach(storage, folder, running[0], "curve.svg", b"<svg/>")
        return outcome_of(9, 9, 8, 0)

    work_off(study, with_artifact)
    (file,) = folder.path.iterdir()
    address = f"/artifacts/{study.id}/{running[0]}/{file.name}"
    assert ask(pages, address) == (200, b"<svg/>")
    file.unlink()
    assert ask(pages, address)[0] == 404


@pytest.fixture
def guarded(pages, settings_of):
    return Guard(pages, rules_of(settings_of(), Access()), pages.healthy)


NOTE = b'{"version": 1, "body": "well done"}'
FILE = b'{"file": "data:text/plain;base64,YQ==", "filename": "a.txt"}'


@pytest.mark.parametrize("number", ["999", "9" * 23, "9" * 5000])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/api/studies/{}", b"{}"),
        ("PUT", "/api/studies/{}/note", NOTE),
        ("PUT", "/api/studies/1/{}/note", NOTE),
        ("POST", "/api/artifacts/{}", FILE),
    ],
)
def test_a_change_to_what_is_not_there_is_not_found(number, method, path, body, study_of, guarded, caplog):
    study_of(1)
    assert ask(guarded, path.format(number), method, body)[0] == 404
    assert "Exception" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [b'{"file": "zzz"}', b'{"file": "data:,a"}', b'{"file": 1}', b"{}", b"[]", b"", b"zzz", b"[" * 9999, b"\xff"],
)
def test_an_artifact_that_is_no_file_is_a_bad_request(body, study_of, guarded, settings_of, caplog):
    assert ask(guarded, f"/api/artifacts/{study_of(1).id}", "POST", body)[0] == 400
    assert "Exception" not in caplog.text
    assert not artifact_folder(settings_of()).path.exists()


@pytest.mark.parametrize("body", [b'{"version": 1, "body": 2}', b'{"version": "1", "body": ""}', b"{}", b"7", b"zzz"])
def test_a_note_that_is_no_text_is_a_bad_request(body, study_of, guarded, caplog):
    assert ask(guarded, f"/api/studies/{study_of(1).id}/note", "PUT", body)[0] == 400
    assert "Exception" not in caplog.text


def test_an_artifact_and_the_note_of_a_trial_can_be_added(study_of, guarded):
    study = study_of(1)
    work_off(study)
    assert ask(guarded, f"/api/artifacts/{study.id}", "POST", FILE)[0] == 201
    assert ask(guarded, f"/api/studies/{study.id}/1/note", "PUT", NOTE)[0] == 204


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_a_file_that_was_deleted_is_not_shown_any_more_nor_made(study_of, storage, guarded):
    study_of(1)
    file = Path(storage.engine.url.database)
    assert ask(guarded, "/api/studies")[0] == 200
    file.unlink()
    assert [ask(guarded, path)[0] for path in ("/api/studies", "/healthz")] == [503, 503]
    assert not file.exists()


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_a_file_that_was_deleted_and_made_anew_is_the_one_that_is_shown_and_changed(study_of, storage, guarded):
    assert ask(guarded, f"/api/studies/{study_of(1).id}/note", "PUT", NOTE)[0] == 204
    file = Path(storage.engine.url.database)
    file.unlink()
    anew = create_or_resume(open_storage(fake_study.empty_file(file.parent)), "anew", spec_of(1))
    assert b'"study_name": "anew"' in ask(guarded, "/api/studies")[1]
    assert ask(guarded, f"/api/studies/{anew.id}/note", "PUT", NOTE)[0] == 204
    assert b"well done" in ask(guarded, f"/api/studies/{anew.id}", query="after=0")[1]
    assert ask(guarded, "/healthz") == (200, b"ok\n")


def test_what_has_been_read_ahead_is_not_read_again_when_the_study_is_opened(study_of, pages, monkeypatch):
    study = study_of(3)
    work_off(study)
    pages.read_ahead()
    built = []
    monkeypatch.setattr(
        type(study.storage.rdb), "_build_frozen_trial_from_trial_model", lambda _self, row: built.append(row)
    )
    pages.read_ahead()
    assert built == []
    monkeypatch.undo()
    assert len(trials_of(pages, study)) == 3


def test_what_cannot_be_read_ahead_is_logged_and_ends_nothing(study_of, storage, pages, caplog):
    study_of(1)
    with storage.engine.begin() as tx:
        tx.exec_driver_sql("drop table study_user_attributes")
    pages.read_ahead()
    assert "the trials could not be read ahead" in caplog.text


def test_it_is_not_healthy_where_the_storage_fails(study_of, storage, pages):
    study_of(1)
    assert pages.healthy()
    with storage.engine.begin() as tx:
        tx.exec_driver_sql("drop table agesearch_studies")
    assert not pages.healthy()


def test_a_storage_that_fails_is_told_to_the_page(study_of, storage, guarded):
    study_of(1)
    assert ask(guarded, "/api/studies")[0] == 200
    with storage.engine.begin() as tx:
        tx.exec_driver_sql("drop table agesearch_studies")
    told = (503, b'{"reason": "The storage does not answer."}')
    assert ask(guarded, "/api/studies") == told
    assert ask(guarded, "/api/studies/1", "DELETE") == told


def test_the_reading_storage_of_an_sqlite_file_cannot_write(tmp_path):
    reading = open_storage(fake_study.empty_file(tmp_path), reading=True)
    with pytest.raises(Exception, match="readonly database"), reading.engine.begin() as tx:
        tx.exec_driver_sql("delete from agesearch_studies")


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_a_deletion_on_a_database_that_can_only_be_read_is_refused(pages, storage):
    study = create_or_resume(storage, NAME, spec_of(1))
    event.listen(pages._written.engine, "connect", lambda one, _: one.execute("PRAGMA query_only=ON"))
    pages._written.engine.dispose()
    status, said = ask(pages, f"/api/studies/{study.id}", "DELETE")
    assert (status, json.loads(said)["reason"].split(":")[0]) == (403, "The database can only be read")
