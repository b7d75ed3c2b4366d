"""Whether a dataset file still holds exactly what its source gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from data.arrays import ARRAYS, SPLITS, Split, array_sha256, arrays_of
from data.build import SYNTHETIC, collect_source
from data.dataset import inspect_dataset, read_split
from data.errors import LISTED, DatasetError
from data.layout import Layout
from data.options import stored_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.build import Progress
    from data.dataset import DatasetInfo
    from data.options import BuildOptions


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verification found.

    `images` were compared pixel by pixel; `count` differences were found, the first twenty of them told in
    `differences`; `source_matches` says whether the source is, file for file, the one the dataset was built from.
    """

    images: int
    count: int
    differences: tuple[str, ...]
    source_matches: bool

    @property
    def lossless(self) -> bool:
        """Whether nothing differs."""
        return self.count == 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "images": self.images,
            "lossless": self.lossless,
            "count": self.count,
            "differences": list(self.differences),
            "source_matches": self.source_matches,
        }


def verify_dataset(
    path: Path, source: str | Path, options: BuildOptions | None = None, progress: Progress | None = None
) -> VerifyReport:
    """Decode (or draw) every image of `source` again and compare it with the dataset file.

    Compared are every pixel, label and name, in which split each is, and every array with its stored SHA-256. Where
    splits were drawn and the source has changed since, the draw cannot be repeated, and is taken as it is.
    `options` are the ones stored in the file unless given; files that the build left out are left out again.
    Raises DatasetError where the file or the source cannot be used at all.
    """
    info = inspect_dataset(path)
    layout, stored = stored_options(info.options)
    if (layout == Layout.SYNTHETIC.value) != (source == SYNTHETIC):
        raise DatasetError(f"{path} is of the layout {layout}, so it cannot be verified against {source}")
    # A file that went bad or away since the build is a difference to report, not an error, even were it the last.
    built = next((each for each in Layout if each.value == layout), None)
    collected = collect_source(source, replace(options or stored, skip_bad=True), progress, built)
    reasons = {one.name: one.reason for one in collected.rejected}
    dataset = {name: read_split(path, name, verify=False) for name in SPLITS}
    source_matches = collected.source_digest == info.source_digest
    fresh = collected.splits if source_matches or not collected.drawn else _divided_like(dataset, collected.splits)
    found: list[str] = []
    images = 0
    for name, split in dataset.items():
        found += _checksums(info, name, split)
        found += _differences(name, split, fresh[name], reasons)
        images += len(set(split.names) & set(fresh[name].names))
    return VerifyReport(images, len(found), tuple(found[:LISTED]), source_matches)


def _divided_like(dataset: Mapping[str, Split], drawn: Mapping[str, Split]) -> dict[str, Split]:
    """Put the images of a changed source where the dataset has them: drawn anew, one file less would move them all."""
    home = {image: name for name, split in dataset.items() for image in split.names}
    images = [
        (home.get(image, name), split.images[place], split.labels[place], image)
        for name, split in drawn.items()
        for place, image in enumerate(split.names)
    ]
    return {name: _split([rest for where, *rest in images if where == name]) for name in dataset}


def _split(images: Sequence[Sequence[Any]]) -> Split:
    pixels, labels, names = ([image[part] for image in images] for part in range(3))
    return Split(np.array(pixels), np.array(labels), tuple(names))


def _checksums(info: DatasetInfo, name: str, split: Split) -> list[str]:
    """Name the arrays that do not match the SHA-256 stored next to them."""
    arrays = arrays_of(split)
    return [
        f"{name}/{array} does not match its SHA-256"
        for array in ARRAYS
        if array_sha256(arrays[array]) != info.arrays[name][array].sha256
    ]


def _differences(name: str, stored: Split, fresh: Split, reasons: dict[str, str]) -> list[str]:
    """Tell, image by image, how a stored split differs from the one that the source gives."""
    places = {image: place for place, image in enumerate(stored.names)}
    found = [
        f"{name}: {image} is in the dataset, but in the source {reasons.get(image, 'it is not in this split')}"
        for image in set(places) - set(fresh.names)
    ]
    found += [f"{name}: {image} is in the dataset more than once"] if (image := _twin(stored)) else []
    for at, image in enumerate(fresh.names):
        place = places.get(image)
        if place is None:
            found.append(f"{name}: {image} is in this split by the source, but not in the dataset")
        elif stored.labels[place] != fresh.labels[at]:
            found.append(
                f"{name}: {image} has the label {stored.labels[place]:.9g}, the source says {fresh.labels[at]:.9g}"
            )
        elif not np.array_equal(stored.images[place], fresh.images[at]):
            found.append(f"{name}: {image} differs from the source in its pixels")
    return sorted(found)


def _twin(split: Split) -> str:
    """Return a name that occurs twice in a split, or nothing."""
    seen: set[str] = set()
    for name in split.names:
        if name in seen:
            return name
        seen.add(name)
    return ""
