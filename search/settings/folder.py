"""Where the paths among settings lie: those of a settings file belong to its folder, ~ is a user's home."""

import logging
import os
from pathlib import Path
from typing import Any, get_args

from search.errors import SearchError
from search.settings.settings import Settings

_SQLITE = "sqlite:///"

_log = logging.getLogger(__name__)


def at_home(key: str, value: Any, where: str) -> Any:
    """Return a setting's value with the ~ that its path begins with as a shell reads it, which not all text has seen.

    Raises SearchError for the home of a user who has none.
    """
    place = _path_in(key, value)
    if place is None or not place.startswith("~"):
        return value
    try:
        return _with_path(value, Path(place).expanduser())
    except RuntimeError:
        raise SearchError(f"{where}: {key} is {value!r}, in the home folder of a user who has none here") from None


def from_folder(key: str, value: Any, file: Path) -> Any:
    """Return a setting's value as the settings file means it: a relative path is one from the file's folder.

    Raises SearchError where the path leads nowhere from there, but somewhere from the working directory, to which such
    paths belonged once.
    """
    place = _path_in(key, value)
    if place is None or Path(place).is_absolute() or file.parent.resolve() == Path.cwd():
        return value
    here, there = Path(place), _shortened(file.parent / place)
    if here.exists() and here.resolve() != there.resolve():
        if not there.exists():
            raise SearchError(
                f"{file}: {key} is {value!r}, a path from the file's own folder, where there is no {there}; there is "
                f"{here} in the working directory: write {os.path.relpath(here, file.parent)!r}, or move it"
            )
        _log.warning(
            "%s: %s is %s, from the file's own folder, and not %s in the working directory", *(file, key, there, here)
        )
    return _with_path(value, there)


def _path_in(key: str, value: Any) -> str | None:
    """Return the path that a value of the file or of a variable names; None if it names none."""
    if not isinstance(value, str) or value in ("", "none"):
        return None
    if key == "storage":
        return value.removeprefix(_SQLITE) or None if value.startswith(_SQLITE) and value[10:] != ":memory:" else None
    field = Settings.model_fields.get(key)
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    return value if Path in kinds else None


def _with_path(value: str, path: Path) -> str:
    return f"{_SQLITE}{path}" if value.startswith(_SQLITE) else str(path)


def _shortened(path: Path) -> Path:
    """Return a path without its detours, from the working directory if it lies below that."""
    whole = path.resolve()
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole
