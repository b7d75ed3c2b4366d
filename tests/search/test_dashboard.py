from types import SimpleNamespace

import pytest
import waitress

from search.dashboard import serve
from search.errors import SearchError


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


@pytest.mark.parametrize(
    ("host", "address", "page"),
    [
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1:4711/"),
        ("localhost", "127.0.0.1", "http://127.0.0.1:4711/"),
        ("127.1.2.3", "127.1.2.3", "http://127.1.2.3:4711/"),
        ("::1", "::1", "http://[::1]:4711/"),
    ],
)
def test_it_listens_on_the_loopback_interface_and_says_where(host, address, page, storage, served):
    serve(storage.url, host, 0, served.ready.append)
    assert (served.settings["host"], served.settings["port"]) == (address, 0)
    assert served.ready == [page]
    assert served.ended == ["run", "close"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org", ""])  # noqa: S104  (they are refused)
def test_any_other_address_is_refused(host, storage, served):
    with pytest.raises(SearchError, match=f"host is '{host}'; the dashboard has no protection of its own"):
        serve(storage.url, host, 0, served.ready.append)
    assert served.settings is None


def test_a_port_that_is_taken_is_refused(storage, monkeypatch):
    def create_server(*_, **__):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(waitress, "create_server", create_server)
    with pytest.raises(SearchError, match=r"cannot listen on 127\.0\.0\.1:8080: Address already in use; choose"):
        serve(storage.url, "127.0.0.1", 8080, lambda _: None)


def test_a_storage_that_is_not_there_is_refused_and_not_made(tmp_path, served):
    with pytest.raises(SearchError, match="no study storage at"):
        serve(f"sqlite:///{tmp_path}/none.db", "127.0.0.1", 0, served.ready.append)
    assert list(tmp_path.iterdir()) == []


def test_the_studies_of_the_storage_are_what_it_serves(study_of, storage, served):
    study_of(2)
    serve(storage.url, "127.0.0.1", 0, served.ready.append)
    started = []
    request = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/studies",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "4711",
        "wsgi.url_scheme": "http",
    }
    body = b"".join(served.application(request, lambda status, _headers, *_: started.append(status)))
    assert started == ["200 OK"]
    assert b'"study_name": "ages"' in body
