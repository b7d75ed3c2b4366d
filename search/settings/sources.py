"""Where settings come from: a TOML file, then AGESEARCH_* environment variables, then flags, the later winning."""

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from search.errors import SearchError
from search.settings.folder import at_home, from_folder
from search.settings.password import PASSWORD_VARIABLE, with_password
from search.settings.service_links import is_service_link
from search.settings.settings import NEVER_EMPTY, UNTOLD, Settings

CONFIG_FILE = Path("agesearch.toml")
PREFIX = "AGESEARCH_"
NOT_SETTINGS = frozenset({f"{PREFIX}CONFIG", PASSWORD_VARIABLE})

_WORDS = {
    "path_type": "write a path between quotes",
    "string_type": "write text between quotes",
    "tuple_type": "write a list, as in [50, 50]",
}
"""What to do about a value of a wrong type in the file, where the validator has its own words for that."""


def load_settings(config: Path | None, flags: Mapping[str, Any]) -> Settings:
    """Read the settings: `config`, or agesearch.toml where there is one, then the environment, then `flags`.

    Relative paths in the file belong to its folder, others to the working directory. Raises SearchError for a file that
    is missing or no TOML, an unknown key, a value that cannot be, or a flag that would have no effect.
    """
    sources = [
        *_from_file(config),
        *_from_environment(os.environ),
        *((k, v, f"--{k.replace('_', '-')}") for k, v in flags.items()),
    ]
    for key, _, where in sources:
        if key not in Settings.model_fields:
            raise SearchError(f"{where}: unknown setting {key!r}{_nearest(key)}")
    origins = {key: where for key, _, where in sources}
    try:
        settings = Settings.model_validate({key: at_home(key, value, where) for key, value, where in sources})
    except ValidationError as error:
        raise SearchError(_sentence(error.errors(), origins)) from error
    if settings.on == "here" and flags.get("gpus_per_worker") is not None:
        raise SearchError("--gpus-per-worker: has an effect with --on ray alone; leave it out, or see --per-gpu")
    storage = with_password(settings.storage, settings.storage_password_file)
    own = {} if storage == settings.storage else {"storage": storage}
    if "study" not in settings.model_fields_set and settings.program is not None:
        own["study"] = settings.program.stem
    # Not `model_copy`, after which what follows from others would look like what was said.
    return settings.model_construct(settings.model_fields_set, **{**dict(settings), **own}) if own else settings


def _sentence(errors: Sequence[ErrorDetails], origins: Mapping[str, str]) -> str:
    """Say of the first wrong value where it comes from and what it should be."""
    first = errors[0]
    origin, place = origins[str(first["loc"][0])], _place(first)
    # A setting of several kinds, such as a number or "auto", has an error for each.
    own = [each for each in errors if _place(each) == place and not _follows(each, errors)]
    said = map(_reason, own)
    reasons = dict.fromkeys(each[0].lower() + each[1:] for each in said)
    value = "invalid" if place in UNTOLD else _shown(first["input"])
    return f"{origin}: {place} is {value}: {', or '.join(reasons)}"


def _reason(error: ErrorDetails) -> str:
    """Return what is wrong with a value, in words that name no class and no pattern of ours."""
    key, kind = str(error["loc"][0]), error["type"]
    if kind == "string_pattern_mismatch":
        return f"it is none of what it may be. {Settings.model_fields[key].description}"
    own = _WORDS.get(kind)
    return own or error["msg"].removeprefix("Value error, ").replace(" after validation", "")


def _place(error: ErrorDetails) -> str:
    """Return the keys that lead to a value, without the kinds and positions that pydantic mixes in."""
    return ".".join(str(part) for part in error["loc"] if part in Settings.model_fields)


def _follows(error: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """Whether an error is that of a whole with a wrong part, such as too few numbers where one of them is none."""
    count = len(error["loc"])
    return any(len(each["loc"]) > count and each["loc"][:count] == error["loc"] for each in errors)


def _from_file(config: Path | None) -> list[tuple[str, Any, str]]:
    path = config or CONFIG_FILE
    if config is None and not path.exists():
        return []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SearchError(f"the settings file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or a number of 5000 digits
        raise SearchError(f"the settings file {path} is not TOML: {error}") from error
    table = {key: from_folder(key, value, path) for key, value in table.items()}
    return [(key, tuple(value) if isinstance(value, list) else value, str(path)) for key, value in table.items()]


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, Any, str]]:
    """Return what variables say; an empty one, as env files and containers pass it on, says nothing.

    For the study's place and for passwords it is an error: another database would be used, or everybody let in. What
    Kubernetes sets for a service of our name says nothing either.
    """
    ours = (name for name in sorted(environment) if name.startswith(PREFIX))
    names = {name: name.removeprefix(PREFIX).lower() for name in ours if not is_service_link(name, environment[name])}
    said = {name: key for name, key in names.items() if environment[name] or key in NEVER_EMPTY}
    return [(key, environment[name], name) for name, key in said.items() if name not in NOT_SETTINGS]


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, Settings.model_fields, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(Settings.model_fields)}"


def _shown(value: object) -> str:
    return repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
