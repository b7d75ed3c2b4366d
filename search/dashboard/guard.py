"""What stands before the dashboard, as a WSGI application: who may ask, for what, and how it is answered and logged.

optuna-dashboard believes whoever reaches it. A page on another site reaches it, too: through the browser of a user
who may, or by a name of its own that it lets point here (DNS rebinding).
"""

import base64
import binascii
import hmac
import ipaddress
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError

Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]
Headers = list[tuple[str, str]]

MAX_BODY = 16 * 2**20
"""Bytes of a request; what is uploaded is pictures and notes."""

SAFE = ("GET", "HEAD")

CHANGES = re.compile(r"PUT /api/studies/\d+(/\d+)?/note|POST /api/artifacts/\d+|DELETE /api/studies/\d+")
"""What the page may change: notes, and a study's artifacts by one more.

Its other buttons tell trials, rename studies, edit what trials measured, or take away artifacts that a finished trial
goes on naming, as Optuna lets nobody change one; a study's are removed in the same way as those.
"""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
_HARDENING = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
# An artifact is what anyone uploaded: it is shown within pages and saved, but never runs as a page of ours.
_ARTIFACT = (
    ("Content-Disposition", "attachment"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'"),
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may ask: by which host names, with which password if any, from this machine alone or not, to change what."""

    names: frozenset[str] = frozenset()
    password: str | None = field(default=None, repr=False)
    local: bool = True
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer instead of the dashboard's."""

    status: str
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


NO_STORAGE = Refusal("503 Service Unavailable", "The storage does not answer.")


class Guard:
    """The application behind its rules; `/healthz` answers whether it is `healthy`, without a password."""

    def __init__(self, application: Application, rules: Rules, healthy: Callable[[], bool]) -> None:
        self._application, self._rules, self._healthy = application, rules, healthy

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, harden the answer's headers and log it."""
        environ["PATH_INFO"] = path = "/" + environ.get("PATH_INFO", "").strip("/")
        began = time.perf_counter()

        def start(status: str, headers: Headers, *more: Any) -> Any:
            _log_request(environ, status, time.perf_counter() - began)
            return start_response(status, _hardened(path, headers), *more)

        refusal = self._refusal(environ)
        if refusal is not None:
            return refuse(refusal, environ, start)
        if path == "/healthz":
            return self._health(environ, start)
        try:
            return self._application(environ, start)
        except SQLAlchemyError as error:
            _log.warning("the storage does not answer: %s", str(error).partition("\n")[0])
            return refuse(NO_STORAGE, environ, start)

    def _refusal(self, environ: Environ) -> Refusal | None:
        checks: list[Callable[[Environ], Refusal | None]] = [self._foreign_host, _foreign_origin]
        if environ["PATH_INFO"] != "/healthz" or environ["REQUEST_METHOD"] not in SAFE:
            checks += [self._no_password, self._forbidden_change, _too_large]
        return next(filter(None, (check(environ) for check in checks)), None)

    def _foreign_host(self, environ: Environ) -> Refusal | None:
        host = environ.get("HTTP_HOST", "").lower()
        match = _HOST.fullmatch(host)
        if match and self._is_ours(match[1].strip("[]").removesuffix(".")):
            return None
        return Refusal("403 Forbidden", "This dashboard is not known by that name; see the setting dashboard_hosts.")

    def _is_ours(self, name: str) -> bool:
        """Tell whether `name` is one of ours; an address is, since nobody can let an address point elsewhere."""
        if name == "localhost" or name in self._rules.names:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback or not self._rules.local
        except ValueError:
            return False

    def _no_password(self, environ: Environ) -> Refusal | None:
        wanted = self._rules.password
        if wanted is None or hmac.compare_digest(_password(environ), wanted.encode()):
            return None
        asking = ("WWW-Authenticate", 'Basic realm="agesearch", charset="UTF-8"')
        return Refusal("401 Unauthorized", "The dashboard's password is needed, with any user name.", (asking,))

    def _forbidden_change(self, environ: Environ) -> Refusal | None:
        method = environ["REQUEST_METHOD"]
        if method in SAFE:
            return None
        if self._rules.read_only:
            return Refusal("405 Method Not Allowed", "This dashboard is read-only.", (("Allow", ", ".join(SAFE)),))
        if CHANGES.fullmatch(f"{method} {environ['PATH_INFO']}"):
            return None
        reason = "Here you can edit notes, add study artifacts and delete studies; only the search changes trials."
        return Refusal("403 Forbidden", reason)

    def _health(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        if not self._healthy():
            return refuse(NO_STORAGE, environ, start)
        start("200 OK", [("Content-Type", "text/plain")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"ok\n"]


def _foreign_origin(environ: Environ) -> Refusal | None:
    """Refuse what another site asks for through a browser, except to be linked to."""
    origin, host = environ.get("HTTP_ORIGIN"), environ["HTTP_HOST"]
    same = origin is None or origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
    linked = environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ.get("HTTP_SEC_FETCH_DEST") == "document"
    elsewhere = environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin")
    if same and not (elsewhere and not (linked and environ["REQUEST_METHOD"] in SAFE)):
        return None
    return Refusal("403 Forbidden", "Another site may not use this dashboard.")


def _too_large(environ: Environ) -> Refusal | None:
    length = environ.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) <= MAX_BODY:
        return None
    return Refusal("413 Content Too Large", f"A request may have {MAX_BODY} bytes.")


def _password(environ: Environ) -> bytes:
    """Return the password of HTTP Basic, whatever the user's name; nothing where there is none."""
    scheme, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        pair = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return pair.partition(b":")[2] if scheme.lower() == "basic" else b""


def refuse(refusal: Refusal, environ: Environ, start: Callable[..., Any]) -> Sequence[bytes]:
    """Answer a request with a refusal, as JSON where the page asks and as text where a person does."""
    api = environ["PATH_INFO"].startswith("/api/")
    body = (json.dumps({"reason": refusal.reason}) if api else refusal.reason + "\n").encode()
    kind = ("Content-Type", "application/json" if api else "text/plain")
    start(refusal.status, [kind, ("Content-Length", str(len(body))), *refusal.headers])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _hardened(path: str, headers: Headers) -> Headers:
    ours = dict(_HARDENING + _ARTIFACT if path.startswith("/artifacts/") else _HARDENING)
    kept = [
        each for each in headers if each[0].title() not in ours and not each[0].lower().startswith("access-control-")
    ]
    return [*kept, *ours.items()]


def _log_request(environ: Environ, status: str, seconds: float) -> None:
    """Log who asked for what; neither the query nor a header, where secrets may be, and no line break of theirs."""
    method, path = quote(environ["REQUEST_METHOD"]), quote(environ["PATH_INFO"])
    _log.info("%s %s %s %s %.0f ms", environ.get("REMOTE_ADDR", "-"), method, path, status[:3], 1000 * seconds)
