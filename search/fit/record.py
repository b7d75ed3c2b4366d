"""Finished fits as they lie in their folders: what was fitted and how it went, and what they predict."""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import ModelError
from model.network import Network
from model.paper import PAPER_SHAPE
from model.quantity import Quantity
from search.errors import SearchError
from search.fit.folder import ABOUT, HISTORY, fitted_quantity, model_file
from search.space.network_file import network_text
from search.space.variation import Variation, recipe_for, variation

if TYPE_CHECKING:
    from model.examples import Images, Labels


@dataclass(frozen=True, slots=True)
class PastEpoch:
    """A line of a fit's history: errors, and whether the epoch was the best so far."""

    epoch: int
    training_mae: float
    validation_mae: float
    seconds: float
    best: bool


@dataclass(frozen=True, slots=True)
class FitRecord:
    """A finished fit: its folder, what was fitted and how, its dataset's digest, what it predicts, its history."""

    folder: Path
    recipe: str
    network: Network
    precision: str
    settings: Mapping[str, Any]
    dataset: str
    quantity: Quantity
    history: tuple[PastEpoch, ...]

    @property
    def name(self) -> str:
        """What the fit is called: its folder, as it was given."""
        return str(self.folder)

    @property
    def kept(self) -> PastEpoch:
        """The epoch whose weights the model has."""
        return next(row for row in reversed(self.history) if row.best)


def read_fit(folder: Path) -> FitRecord:
    """Read what a fit left in `folder`; raises SearchError where it has not ended, or its files are damaged."""
    model_file(folder)
    try:
        about = tomllib.loads((folder / ABOUT).read_text(encoding="utf-8"))
        with (folder / HISTORY).open(encoding="utf-8", newline="") as file:
            history = tuple(map(_past, csv.DictReader(file)))
        record = FitRecord(
            folder,
            str(about["recipe"]),
            _network(about),
            str(about["precision"]),
            dict(about["settings"]),
            str(about["dataset"]["digest"]),
            fitted_quantity(folder),
            history,
        )
        _ = record.kept
    except (OSError, ValueError, KeyError, TypeError, StopIteration, ModelError) as error:
        raise SearchError(f"{folder} is no whole fit ({ABOUT} or {HISTORY}): run 'agesearch fit' again") from error
    return record


def predict(folder: Path, images: "Mapping[str, Images]") -> "dict[str, Labels]":
    """Return a fit's predictions of the images of each split, uint8 (n, H, W, C), by the splits' names.

    Raises SearchError where the fit has not ended, ModelError where its model is damaged or takes other images.
    """
    path = model_file(folder)
    from model.device import configure, usable_cores

    configure(usable_cores())
    from model.saved_model import SavedModel

    model = SavedModel(path)
    return {split: model.predict(those) for split, those in images.items()}


def _network(about: Mapping[str, Any]) -> Network:
    """Return the network that was fitted; by default the paper's on its images, as it was before others were."""
    own = network_text(about["network"]) if about.get("network") else None
    base = Variation(recipe_for(str(about["recipe"]), own), int(about["settings"]["batch_size"]))
    height, width, channels = about.get("image_shape", PAPER_SHAPE)
    return variation(base, (height, width, channels), about.get("varied", {})).recipe.network()


def _past(row: Mapping[str, str]) -> PastEpoch:
    return PastEpoch(
        int(row["epoch"]),
        float(row["training_mae"]),
        float(row["validation_mae"]),
        float(row["seconds"]),
        row["best"] == "1",
    )
