"""Finished fits as they lie in their folders: what was fitted and how it went, and what they predict."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.errors import ModelError
from model.network.description import layers_from
from model.network.network import Network
from model.results.quantity import Quantity
from model.training.history import Epoch, from_csv, kept
from model.training.recipe import recipe_named
from search.errors import SearchError
from search.tasks.images.fit_folder import ABOUT, HISTORY, fitted_quantity, members, model_file

if TYPE_CHECKING:
    from model.arrays import Images, Labels


@dataclass(frozen=True, slots=True)
class FitRecord:
    """A finished fit: its folder, what was fitted and how, its dataset's digest, what it predicts, its history."""

    folder: Path
    recipe: str
    network: Network
    precision: str
    threads: int
    settings: Mapping[str, Any]
    dataset: str
    quantity: Quantity
    history: tuple[Epoch, ...]

    @property
    def name(self) -> str:
        """What the fit is called: its folder, as it was given."""
        return str(self.folder)

    @property
    def kept(self) -> Epoch:
        """The epoch whose weights the model has."""
        return kept(self.history)

    @property
    def flags(self) -> str:
        """What repeats it after 'agesearch fit', a configuration and a dataset.

        That is the epochs it has come to, whatever ended it, but where all that were asked for set the rate of each.
        """
        constant = recipe_named(self.recipe).schedule == "constant"
        given = {
            "--fit-epochs": len(self.history) if constant else self.settings["epochs"],
            "--fit-patience": None if constant else self.settings.get("patience"),
            "--fit-threads": self.threads,
            "--seed": self.settings["seed"],
        }
        return " ".join(f"{flag} {value}" for flag, value in given.items() if value is not None)


def read_fit(folder: Path) -> FitRecord:
    """Read what a fit left in `folder`; raises SearchError where it has not ended, or its files are damaged."""
    model_file(folder)
    try:
        about = tomllib.loads((folder / ABOUT).read_text(encoding="utf-8"))
        record = FitRecord(
            folder,
            str(about["recipe"]),
            _network(about),
            str(about["precision"]),
            int(about["threads"]),
            dict(about["settings"]),
            str(about["dataset"]["digest"]),
            fitted_quantity(folder),
            from_csv((folder / HISTORY).read_bytes()),
        )
        _ = record.kept
    except (OSError, ValueError, KeyError, TypeError, ModelError) as error:
        raise SearchError(
            f"{folder} is not a complete fit ({ABOUT} or {HISTORY}): run 'agesearch fit' again"
        ) from error
    return record


def predict_members(folder: Path, images: "Mapping[str, Images]") -> "dict[str, dict[str, Labels]]":
    """Return what each member predicts of the images of each split, uint8 (n, H, W, C), by its folder and the split.

    A fit of one network is its only member. Raises SearchError where a fit has not ended, ModelError where its model is
    damaged or takes other images.
    """
    paths = {str(member): model_file(member) for member in members(folder)}
    from model.engine.device import configure_for_predictions

    configure_for_predictions()
    from model.results.keras_file import KerasFile

    loaded = {name: KerasFile(path) for name, path in paths.items()}
    return {name: {split: model.predict(those) for split, those in images.items()} for name, model in loaded.items()}


def predict(folder: Path, images: "Mapping[str, Images]") -> "dict[str, Labels]":
    """Return what a fit predicts of the images of each split: the mean of what its members do."""
    return averaged(list(predict_members(folder, images).values()))


def averaged(predictions: "Sequence[Mapping[str, Labels]]") -> "dict[str, Labels]":
    """Return the mean of several models' predictions, split by split."""
    return {
        split: np.stack([each[split] for each in predictions]).mean(axis=0, dtype=np.float64).astype(np.float32)
        for split in predictions[0]
    }


def _network(about: Mapping[str, Any]) -> Network:
    height, width, channels = about["image_shape"]
    return Network(layers_from(about["network"]), (height, width, channels))
