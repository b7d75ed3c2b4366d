"""The files in the folder of a final fit, for those who look for them without loading TensorFlow.

An ensemble's folder has `ensemble.toml`, and a folder for each member that is an ordinary fit's.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.files import Kind, check_replaceable, write_bytes
from model.results.answers import read_answers
from model.results.quantity import Quantity
from search.errors import SearchError

ENSEMBLE = "ensemble.toml"
MODEL, HISTORY, CURVE, STATE, ABOUT = "model.keras", "history.csv", "learning_curve.png", "checkpoint.npz", "fit.toml"
WRITTEN = "# Written by agesearch\n"
"""How TOML files begin, by which a fit knows that they may be replaced."""

_KINDS = {
    MODEL: Kind.MODEL, HISTORY: Kind.HISTORY, CURVE: Kind.FIGURE, STATE: Kind.CHECKPOINT, ABOUT: Kind.TOML,
}  # fmt: skip


def member_folders(folder: Path, count: int) -> tuple[Path, ...]:
    """Return the folders of an ensemble's members; a fit of one network is in the folder itself."""
    return (folder,) if count == 1 else tuple(folder / f"member-{number}" for number in range(1, count + 1))


def members(folder: Path) -> tuple[Path, ...]:
    """Return the folders of the fits in a folder, whose answers are averaged if they are several.

    Raises SearchError where the description of an ensemble is damaged.
    """
    path = folder / ENSEMBLE
    if not path.is_file():
        return (folder,)
    try:
        return member_folders(folder, max(2, int(tomllib.loads(path.read_text(encoding="utf-8"))["members"])))
    except (ValueError, KeyError, TypeError) as error:
        raise SearchError(f"{path} is damaged; remove it, and run the same 'agesearch fit' again") from error


def check_fit_replaceable(folder: Path, count: int) -> None:
    """Raise DatasetError where a fit of `count` networks would replace a file that this program did not write."""
    if count > 1:
        check_replaceable(folder / ENSEMBLE, Kind.TOML)
    for each in member_folders(folder, count):
        for name, kind in _KINDS.items():
            check_replaceable(each / name, kind)


def begin(folder: Path, count: int, digest: str) -> tuple[Path, ...]:
    """Return the folders to fit in; from then on the folder is known for that of so many members.

    `digest` is that of the first member's fit. Nobody else may be at it (`alone_in`). Raises SearchError where the
    folder holds a fit of the other kind, or an ensemble that has begun with other fits or has more of them, of which
    none is to be lost.
    """
    if count > 1 and _begun(folder):
        raise SearchError(f"{folder} holds a fit of one network; choose another --out for an ensemble")
    if count == 1 and any(map(_begun, members(folder))) and (folder / ENSEMBLE).is_file():
        raise SearchError(f"{folder} holds an ensemble; give its --ensemble, or choose another --out")
    if count == 1:
        (folder / ENSEMBLE).unlink(missing_ok=True)  # of one that was refused before its first epoch
    else:
        *folders, next_one = member_folders(folder, count + 1)
        if next_one.exists():
            raise SearchError(f"{folder} holds an ensemble of more networks; give its --ensemble, or another --out")
        if (folders[0] / STATE).is_file() and (_about(folders[0]) or {}).get("fingerprint") != digest:
            raise SearchError(f"{folder} holds an ensemble of fits with other settings; choose another --out")
        write_bytes(folder / ENSEMBLE, f"{WRITTEN}members = {count}\n".encode())
    return member_folders(folder, count)


def difference(wanted: Mapping[str, Any], folder: Path) -> str:
    """Return in which setting a fit that is `wanted` differs from the one in a folder, and how; "" if in none."""
    there = _about(folder) or {}
    if not there or there.get("fingerprint") == wanted["fingerprint"]:
        return ""
    before, now = _compared(there), _compared(wanted)
    found = (
        f"{name} = {before.get(name)}, and {now[name]} is asked for" for name in now if before.get(name) != now[name]
    )
    return next(found, "another network")


def _compared(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a fit may differ in by name; the epochs come last, as most fits may be given more of them."""
    settings, dataset = about.get("settings", {}), about.get("dataset", {})
    named = {name: settings.get(name) for name in ("learning_rate", "l2", "batch_size", "seed")}
    named |= {name: about.get(name) for name in ("recipe", "precision", "threads")}
    return named | {"dataset": str(dataset.get("digest"))[:12], "epochs": settings.get("epochs")}


def fit_folder(path: Path) -> Path:
    """Return the folder of a fit, of which a user may have named the model instead."""
    return path.parent if path.name == MODEL else path


def has_ended(folder: Path) -> bool:
    """Whether a folder holds a finished fit."""
    return all((each / MODEL).is_file() for each in members(folder))


def model_file(folder: Path) -> Path:
    """Return the model of a finished fit; raises SearchError where there is none."""
    path = folder / MODEL
    if path.is_file():
        return path
    if (folder / STATE).is_file() or folder in members(folder.parent):
        raise SearchError(
            f"the fit in {folder} has not ended; run the same 'agesearch fit' again, and it goes on from there"
        )
    raise SearchError(f"{folder} holds no {MODEL}; give the folder that 'agesearch fit' wrote")


@dataclass(frozen=True, slots=True)
class Started:
    """What `auto` was resolved to when a fit was started; resolved differently, it could not be continued."""

    precision: str
    threads: int


def started_with(folder: Path) -> Started | None:
    """Return what the fit in a folder was started with, or None where there is none.

    Raises SearchError where the folder's description of the fit is damaged.
    """
    about = _about(folder) if _begun(folder) else None
    try:
        return None if about is None else Started(str(about["precision"]), int(about["threads"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder) from error


def fitted_quantity(folder: Path) -> Quantity:
    """Return what the model in a folder predicts, by what it says itself: values in no unit where it says nothing.

    Raises SearchError where the folder's description of the fit is damaged, and ModelError where the model is.
    """
    return Quantity(_unit_of(folder) or "")


def require_fitted_for(folder: Path, unit: str, digest: str) -> str:
    """Return "", or what is to be known of a fit that is judged on another dataset than its own, by unit and digest.

    Raises SearchError where it predicts something else, or the folder's description of the fit is damaged.
    """
    own, fitted = _fitted_on(folder), _unit_of(folder)
    if fitted not in (None, unit):
        raise SearchError(
            f"{folder} predicts values in {fitted or 'no unit'}, the dataset has them in {unit or 'none'}; "
            "give a dataset in the same unit"
        )
    if own.get("digest") in (None, digest):
        return ""
    return (
        f"{folder} was fitted on another dataset (digest {str(own['digest'])[:12]}…), which may hold images of this one"
    )


def _unit_of(folder: Path) -> str | None:
    """Return the unit of a fit's answers: that in its model, else that of its dataset; None where neither is known."""
    model, own = members(folder)[0] / MODEL, _fitted_on(folder)
    if model.is_file() and (answers := read_answers(model)):
        return answers.unit
    return str(own["unit"]) if "unit" in own else None


def _fitted_on(folder: Path) -> dict[str, Any]:
    dataset = (_about(members(folder)[0]) or {}).get("dataset", {})
    if not isinstance(dataset, dict):
        raise _damaged(folder)
    return dataset


def _begun(folder: Path) -> bool:
    """Whether there is anything of a fit that could be lost."""
    return any((folder / name).is_file() for name in (STATE, MODEL))


def _about(folder: Path) -> dict[str, Any] | None:
    path = folder / ABOUT
    if not path.is_file():
        return None
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(folder) from error


def _damaged(folder: Path) -> SearchError:
    return SearchError(f"{folder / ABOUT} is damaged; remove {folder} to start the fit over")
