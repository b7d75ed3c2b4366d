import base64
import logging

import pytest
from sqlalchemy.exc import OperationalError

from search.dashboard.guard import MAX_BODY, Guard, Rules

PAGE = "/dashboard/studies/1"
ARTIFACT = "/artifacts/1/2/0f"
ARTIFACT_ID = "0f3a0000-0000-4000-8000-00000000000A"
WRITES = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS")


class Answer:
    """What the guard answered, and what the application behind it got to see."""

    def __init__(self, fails=None):
        self.seen, self.fails = None, fails

    def application(self, environ, start_response):
        if self.fails:
            raise self.fails
        self.seen = environ
        start_response(
            "200 OK",
            [
                ("Content-Type", "text/html"),
                ("Access-Control-Allow-Origin", "*"),
                ("Content-Security-Policy", "default-src 'self'"),
            ],
        )
        return [b"<script>alert(1)</script>"]

    def start(self, status, headers, *_):
        self.status = int(status.split()[0])
        self.headers = dict(headers)
        assert len(self.headers) == len(headers)

    @property
    def refused(self):
        return self.status >= 400 and self.seen is None


def ask(path=PAGE, method="GET", rules=Rules(), healthy=True, fails=None, **headers):  # noqa: B008  (rules are frozen)
    answer = Answer(fails)
    guard = Guard(answer.application, rules, lambda: healthy)
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": "127.0.0.1:8080", "REMOTE_ADDR": "10.0.0.9"}
    given = {name: value for name, value in (environ | headers).items() if value is not None}
    answer.body = b"".join(guard(given, answer.start))
    return answer


def basic(password, user="anybody"):
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "127.0.0.1", "localhost:9000", "LOCALHOST", "[::1]:8080", "localhost."]
)
def test_this_machine_is_known_by_its_loopback_names_with_any_port(host):
    assert ask(HTTP_HOST=host).status == 200


FOREIGN = [
    *(None, "", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "2130706433"),
    *("127.0.0.1@evil.example", "evil.example#127.0.0.1", "127.0.0.1, evil.example", "[::1", "127.0.0.1:", "10.0.0.1"),
]
PLACES = ["/api/studies", "/healthz", ARTIFACT, "/static/bundle.js"]


@pytest.mark.parametrize(("host", "path"), [*((host, PAGE) for host in FOREIGN), *((FOREIGN[2], at) for at in PLACES)])
def test_a_foreign_host_is_refused_everywhere(host, path):
    answer = ask(path, HTTP_HOST=host)
    assert (answer.status, answer.refused) == (403, True)
    assert b"dashboard_hosts" in answer.body


def test_names_are_added_by_the_setting_and_addresses_are_known_where_it_listens_to_others():
    named, open_to_others = Rules(names=frozenset({"ages.example.org"})), Rules(local=False)
    assert ask(rules=named, HTTP_HOST="ages.example.org").status == 200
    assert ask(rules=named, HTTP_HOST="other.example.org").refused
    assert ask(rules=open_to_others, HTTP_HOST="192.168.1.2:8080").status == 200
    assert ask(rules=open_to_others, HTTP_HOST="evil.example").refused


def test_a_host_that_a_proxy_only_claims_does_not_count():
    assert ask(HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="127.0.0.1").refused


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_pages_own_requests_pass(method):
    for origin in ("http://127.0.0.1:8080", "https://127.0.0.1:8080", None):
        assert ask("/api/studies/1/note", method, HTTP_ORIGIN=origin, HTTP_SEC_FETCH_SITE="same-origin").status == 200


@pytest.mark.parametrize(
    ("origin", "method"),
    [
        *((origin, "GET") for origin in ("null", "http://127.0.0.1:8081", "http://localhost:8080", "")),
        *(("http://evil.example", method) for method in ("GET", *WRITES)),
    ],
)
def test_a_foreign_origin_is_refused_whatever_it_asks_for(origin, method):
    answer = ask("/api/studies/1/note", method, HTTP_ORIGIN=origin)
    assert (answer.status, answer.refused) == (403, True)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_may_link_to_the_page_but_not_use_it(site):
    link = {"HTTP_SEC_FETCH_SITE": site, "HTTP_SEC_FETCH_MODE": "navigate", "HTTP_SEC_FETCH_DEST": "document"}
    assert ask(**link).status == 200
    assert ask(**link | {"HTTP_SEC_FETCH_DEST": "iframe"}).refused
    assert ask(ARTIFACT, **link | {"HTTP_SEC_FETCH_MODE": "no-cors", "HTTP_SEC_FETCH_DEST": "image"}).refused
    assert ask("/api/studies/1", "DELETE", **link).refused


@pytest.mark.parametrize(
    "path", [PAGE, "/", "/api/studies", ARTIFACT, "/static/bundle.js", "/csv/1", "/healthz/x", "/x/../healthz"]
)
def test_a_password_is_asked_for_everywhere_but_for_health(path):
    rules = Rules(password="schlüssel")
    answer = ask(path, rules=rules)
    assert (answer.status, answer.refused) == (401, True)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="agesearch", charset="UTF-8"'
    assert ask(path, rules=rules, **basic("schlüssel")).status == 200
    assert ask("/healthz", rules=rules).status == 200


@pytest.mark.parametrize(
    "header",
    [
        *("Basic", "Basic !!!!", "Basic " + base64.b64encode(b"schl").decode(), "", "Bearer c2VjcmV0"),
        basic("")["HTTP_AUTHORIZATION"],
        basic("secre")["HTTP_AUTHORIZATION"],
        basic("secrets")["HTTP_AUTHORIZATION"],
        basic("Secret")["HTTP_AUTHORIZATION"],
        basic("x", user="secret")["HTTP_AUTHORIZATION"],
        basic("secret")["HTTP_AUTHORIZATION"].replace("Basic", "Digest"),
        "Basic \xff\xfe",
    ],
)
def test_a_wrong_password_is_refused(header):
    answer = ask(rules=Rules(password="secret"), HTTP_AUTHORIZATION=header)
    assert (answer.status, answer.refused) == (401, True)


def test_the_comparison_of_passwords_takes_as_long_for_any_of_them(monkeypatch):
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda *both: compared.append(both) or both[0] == both[1])
    ask(rules=Rules(password="secret"), **basic("guess"))
    assert compared == [(b"guess", b"secret")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, "/api/studies/1/note") for method in WRITES),
        *(("POST", path) for path in ("/api/studies/1", "/api/artifacts/1", "/healthz", PAGE)),
    ],
)
def test_read_only_refuses_whatever_is_not_reading(method, path):
    answer = ask(path, method, Rules(read_only=True))
    assert (answer.status, answer.refused, answer.headers["Allow"]) == (405, True, "GET, HEAD")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_read_only_lets_read(method):
    assert ask("/api/studies/1", method, Rules(read_only=True)).status == 200


@pytest.mark.parametrize(
    "line",
    [
        *("PUT /api/studies/1/note", "PUT /api/studies/1/2/note", "DELETE /api/studies/1/"),
        "POST /api/artifacts/1",
    ],
)
def test_notes_can_be_changed_and_studies_deleted(line):
    method, path = line.split()
    assert ask(path, method).status == 200


@pytest.mark.parametrize(
    "line",
    [
        *(
            "POST /api/trials/1/tell",
            "POST /api/trials/1/user-attrs",
            "POST /api/studies/1/rename",
            "POST /api/studies",
        ),
        *("POST /api/artifacts/1/2", f"POST /api/artifacts/1/{2:036}", f"DELETE /api/artifacts/1/{ARTIFACT_ID}"),
        *("POST /incompatible-rdb-schema", "POST /api/llm/trial_filter_query", "TRACE /", "POST /api/studies/1/note/x"),
    ],
)
def test_what_trials_measured_and_what_studies_are_called_cannot_be_changed(line):
    method, path = line.split()
    answer = ask(path, method)
    assert (answer.status, answer.refused) == (403, True)


@pytest.mark.parametrize("path", [ARTIFACT, "//artifacts/1/2/0f", "/artifacts/1/0f/"])
def test_an_artifact_is_saved_and_never_runs(path):
    headers = ask(path).headers
    assert headers["Content-Disposition"] == "attachment"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "Access-Control-Allow-Origin" not in headers


def test_a_page_keeps_its_own_policy_and_is_not_framed_by_others():
    headers = ask().headers
    assert headers["Content-Security-Policy"] == "default-src 'self'"
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("SAMEORIGIN", "nosniff")
    assert "Content-Disposition" not in headers


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "-1", "many"])
def test_a_request_that_is_too_large_is_refused(length):
    answer = ask("/api/artifacts/1", "POST", CONTENT_LENGTH=length)
    assert (answer.status, answer.refused) == (413, True)
    assert ask("/api/artifacts/1", "POST", CONTENT_LENGTH=str(MAX_BODY)).status == 200


@pytest.mark.parametrize(
    ("healthy", "status", "body"), [(True, 200, b"ok\n"), (False, 503, b"The storage does not answer.\n")]
)
def test_health_is_that_of_the_storage(healthy, status, body):
    answer = ask("/healthz", healthy=healthy)
    assert (answer.status, answer.body, answer.seen) == (status, body, None)
    answer = ask("/healthz", "HEAD", healthy=healthy)
    assert (answer.status, answer.body, answer.seen) == (status, b"", None)


@pytest.mark.parametrize("path", [PAGE, "/api/studies"])
def test_where_the_storage_fails_the_answer_is_hardened_and_logged_with_the_reason(path, caplog):
    caplog.set_level(logging.INFO, "search.dashboard.guard")
    answer = ask(path, fails=OperationalError("SELECT secret", {}, Exception("connection refused")))
    assert (answer.status, answer.refused) == (503, True)
    assert b"The storage does not answer." in answer.body
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    reason, request = (record.getMessage() for record in caplog.records)
    assert reason == "the storage does not answer: (builtins.Exception) connection refused"
    assert request.startswith(f"10.0.0.9 GET {path} 503 ")


def test_what_fails_for_another_reason_is_not_blamed_on_the_storage():
    with pytest.raises(ZeroDivisionError):
        ask(fails=ZeroDivisionError())


def test_a_refusal_is_told_to_a_program_as_json_and_to_people_as_text():
    assert ask("/api/studies", HTTP_HOST="evil.example").body.startswith(b'{"reason": ')
    assert ask(PAGE, HTTP_HOST="evil.example").body.endswith(b".\n")
    assert ask(PAGE, "HEAD", HTTP_HOST="evil.example").body == b""


def test_the_log_has_who_asked_for_what_and_no_secret(caplog):
    caplog.set_level(logging.INFO, "search.dashboard.guard")
    ask("/api/studies\n1", QUERY_STRING="token=secret", rules=Rules(password="secret"), **basic("secret"))
    ask("/api/studies", rules=Rules(password="secret"), **basic("secret2"))
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("10.0.0.9 GET /api/studies%0A1 200 ")
    assert second.startswith("10.0.0.9 GET /api/studies 401 ")
    assert "secret" not in caplog.text


def test_rules_do_not_print_their_password():
    assert "secret" not in repr(Rules(password="secret"))
