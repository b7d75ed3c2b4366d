"""The files in the folder of a final fit, for those who look for them without loading TensorFlow."""

import tomllib
from pathlib import Path
from typing import Any

from model.quantity import YEARS, Quantity
from search.errors import SearchError

MODEL, HISTORY, CURVE, STATE, ABOUT = "model.keras", "history.csv", "learning_curve.png", "checkpoint.npz", "fit.toml"


def model_file(folder: Path) -> Path:
    """Return the model of a finished fit; raises SearchError where there is none."""
    path = folder / MODEL
    if path.is_file():
        return path
    if (folder / STATE).is_file():
        raise SearchError(
            f"the fit in {folder} has not ended; run the same 'agesearch fit' again, it goes on from there"
        )
    raise SearchError(f"{folder} holds no {MODEL}; give the folder that 'agesearch fit' wrote")


def started_precision(folder: Path) -> str | None:
    """Return the precision that the fit in a folder was started with, or None where there is none.

    Measured anew on a busy machine, it may come out otherwise and keep the fit from going on. Raises SearchError where
    the folder's description of the fit is damaged.
    """
    about = _about(folder)
    try:
        return None if about is None else str(about["precision"])
    except KeyError as error:
        raise _damaged(folder) from error


def fitted_quantity(folder: Path) -> Quantity:
    """Return what the model in a folder predicts: ages, where nothing is said of it.

    Raises SearchError where the folder's description of the fit is damaged.
    """
    dataset = (_about(folder) or {}).get("dataset", {})
    if not isinstance(dataset, dict):
        raise _damaged(folder)
    return Quantity(str(dataset.get("unit", YEARS)))


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
