"""The settings of a build, checked, and stored in the dataset so that it can be verified against its source."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Final

from data.errors import DatasetError
from data.images import IMAGE_SIZE, MODES
from data.members import Limits
from data.splits import PAPER_SIZES

_SMALLEST, _LARGEST = 8, 1024
OLDEST: Final = 150
MOST_SYNTHETIC: Final = 200_000
COLUMNS: Final = ("path", "value", "split")
"""What a table's columns are called unless options say otherwise."""
LONGEST_UNIT: Final = 30
YEARS: Final = "years"


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How a dataset is built.

    `image_size` (H, W) in pixels; ages in years, both ends included; `seed` divides crops and draws synthetic faces;
    `sizes` are the synthetic images of training, validation and test; `channels` are 1 (gray) or 3 (RGB); `unit` is
    that of the labels, for people; `limits` bound what a source may hold; `columns` are a table's names for the path,
    the value and the split; to `follow_links` is to read files that lie outside a folder or a table's.
    Raises DatasetError where a value cannot work.
    """

    image_size: tuple[int, int] = IMAGE_SIZE
    min_age: int = 1
    max_age: int = 80
    seed: int = 0
    skip_bad: bool = False
    sizes: tuple[int, int, int] = PAPER_SIZES
    channels: int = 1
    unit: str = YEARS
    limits: Limits = field(default_factory=Limits)
    columns: tuple[str, str, str] = COLUMNS
    follow_links: bool = False

    def __post_init__(self) -> None:
        if any(not _SMALLEST <= length <= _LARGEST for length in self.image_size):
            raise DatasetError(f"image_size is {self.image_size}, each side must be {_SMALLEST} to {_LARGEST} pixels")
        if not 0 <= self.min_age <= self.max_age <= OLDEST:
            raise DatasetError(
                f"ages are {self.min_age} to {self.max_age}, expected 0 <= min_age <= max_age <= {OLDEST}"
            )
        if self.channels not in MODES:
            raise DatasetError(f"channels is {self.channels}, expected 1 (gray) or 3 (colour)")
        if not self.unit.isprintable() or len(self.unit) > LONGEST_UNIT:
            raise DatasetError(f"unit is {self.unit!r}, expected a word or nothing")
        if not 0 <= self.seed < 2**63:
            raise DatasetError(f"seed is {self.seed}, expected 0 to 2^63-1")
        if min(self.sizes) < 1 or sum(self.sizes) > MOST_SYNTHETIC:
            raise DatasetError(
                f"sizes are {self.sizes}, each must be at least 1 and their sum at most {MOST_SYNTHETIC}"
            )

        if len(set(self.columns)) < len(COLUMNS):
            raise DatasetError(f"columns are {self.columns}, expected three different ones")

    def as_json(self, layout: str) -> str:
        """Return the settings that decide what a dataset holds, with the layout, as JSON (the limits are left out)."""
        settings = {name: value for name, value in asdict(self).items() if name != "limits"}
        return json.dumps({"layout": layout, **settings}, sort_keys=True)


def stored_options(text: str, limits: Limits | None = None) -> tuple[str, BuildOptions]:
    """Return layout and settings from what `as_json` gave; raises DatasetError where the text is something else."""
    try:
        stored = json.loads(text)
        height, width = stored["image_size"]
        training, validation, test = stored["sizes"]
        path, value, split = stored.get("columns", COLUMNS)
        options = BuildOptions(
            image_size=(int(height), int(width)),
            min_age=int(stored["min_age"]),
            max_age=int(stored["max_age"]),
            seed=int(stored["seed"]),
            skip_bad=bool(stored["skip_bad"]),
            sizes=(int(training), int(validation), int(test)),
            channels=int(stored["channels"]),
            unit=str(stored["unit"]),
            limits=limits or Limits(),
            columns=(str(path), str(value), str(split)),
            follow_links=bool(stored.get("follow_links", False)),
        )
        return str(stored["layout"]), options
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DatasetError(f"the dataset's stored build settings cannot be used: {error}") from error


def stored_unit(text: str) -> str:
    """Return the unit of the labels from what `as_json` gave, or years where none is stored.

    Raises DatasetError for what is no unit, as only a damaged or forged dataset has.
    """
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        stored = None
    unit = stored.get("unit", YEARS) if isinstance(stored, dict) else YEARS
    if not isinstance(unit, str) or not unit.isprintable() or len(unit) > LONGEST_UNIT:
        raise DatasetError(f"the dataset's unit of labels is {str(unit)[:LONGEST_UNIT]!r}, which is none")
    return unit
