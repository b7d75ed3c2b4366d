import pytest

from search.dashboard.mounting import Mounted


def ask(path, prefix="/hpo", location=None):
    """Return status, headers and content, and the path that the application got to see."""
    seen, started = [], []

    def application(environ, start):
        seen.append(environ["PATH_INFO"])
        start("302 Found" if location else "200 OK", [("Location", location)] if location else [])
        return [b"as it was"]

    mounted = Mounted(application, prefix)
    content = b"".join(mounted({"PATH_INFO": path, "REQUEST_METHOD": "GET"}, lambda *given: started.append(given)))
    return started[-1][0], dict(started[-1][1]), content, seen[-1]


@pytest.mark.parametrize(("prefix", "moved"), [("/", "/dashboard"), ("/hpo", "/hpo/dashboard")])
def test_a_redirection_names_neither_scheme_nor_host(prefix, moved):
    assert ask("/", prefix, "http://127.0.0.1:8080/dashboard")[1]["Location"] == moved


@pytest.mark.parametrize("path", ["/hpo/api/meta", "/api/meta"])
def test_the_path_may_be_passed_on_or_taken_away(path):
    assert ask(path)[3] == "/api/meta"


def test_a_path_that_only_begins_alike_is_another():
    assert ask("/hpother")[3] == "/hpother"


def test_the_page_asks_for_its_script_below_the_path():
    assert b'src="/hpo/static/bundle.js"' in ask("/hpo/dashboard/studies/1")[2]


def test_the_script_asks_for_everything_below_the_path():
    content = ask("/hpo/static/bundle.js")[2]
    assert b'url_prefix:"/hpo/dashboard"' in content
    assert b"`/artifacts/" not in content
