"""Changes that cannot be made: optuna-dashboard would answer them with its own failure, and a traceback in the log."""

import base64
import io
import json
import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from search.dashboard.guard import Environ, Refusal
from search.storage.optuna_tables import studies, trials

GONE = Refusal("404 Not Found", "There is no such study or trial; it may have been deleted.")
UNSOUND = Refusal("400 Bad Request", "Send JSON: a note's version and body, or a file as a data URL with its filename.")

_PLACE = re.compile(r"/api/(?:studies|artifacts)/(\d+)(?:/(\d+))?(?:/note)?")
_DIGITS = 18  # more than any id has, and no more than a database can compare


def refusal_of(tx: Connection, environ: Environ) -> Refusal | None:
    """Return why one of the changes that the guard lets through cannot be made; None where it can."""
    if not _is_there(tx, environ["PATH_INFO"]):
        return GONE
    return None if _is_sound(environ, _body(environ)) else UNSOUND


def _is_there(tx: Connection, path: str) -> bool:
    """Tell whether there are the study, and the trial of it, that the path of a change names."""
    place = _PLACE.fullmatch(path)
    numbers = [each.lstrip("0") or "0" for each in (place.groups() if place else ()) if each]
    if not numbers or any(len(each) > _DIGITS for each in numbers):
        return False
    study, *trial = map(int, numbers)
    query = select(studies.c.study_id).where(studies.c.study_id == study)
    if trial:
        query = query.join(trials, trials.c.study_id == studies.c.study_id).where(trials.c.trial_id == trial[0])
    return tx.execute(query).first() is not None


def _body(environ: Environ) -> bytes:
    """Return the body of a request; whoever reads it next finds it whole."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _is_sound(environ: Environ, body: bytes) -> bool:
    """Tell whether a request's body is what its method and path take."""
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return False
    if not isinstance(given, dict) or environ["REQUEST_METHOD"] == "DELETE":
        return isinstance(given, dict)
    if environ.get("CONTENT_TYPE", "").lower().partition(";")[0] != "application/json":
        return False
    if environ["PATH_INFO"].endswith("/note"):
        return isinstance(given.get("version"), int) and isinstance(given.get("body"), str)
    return isinstance(given.get("filename", ""), str) and _is_data_url(given.get("file"))


def _is_data_url(given: Any) -> bool:
    kind, comma, content = given.partition(",") if isinstance(given, str) else ("", "", "")
    try:
        base64.standard_b64decode(content)
    except ValueError:
        return False
    return bool(comma) and kind.startswith("data:")
