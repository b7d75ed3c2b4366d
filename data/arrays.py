"""The images, labels and names of a dataset as values, and the digest that identifies them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SPLITS: Final = ("training", "validation", "test")
ARRAYS: Final = ("images", "labels", "names")


@dataclass(frozen=True, slots=True)
class Split:
    """One split: `images` uint8 (N, H, W, C), `labels` float32 (N,), `names` of the N image files."""

    images: NDArray[np.uint8]
    labels: NDArray[np.float32]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Three splits and where they came from.

    `digest` identifies the arrays, `source` names what they were built from, `source_digest` identifies its content,
    and `options` are the settings of the build as JSON.
    """

    training: Split
    validation: Split
    test: Split
    digest: str
    source: str
    source_digest: str
    options: str = "{}"

    def split(self, name: str) -> Split:
        """Return the split of that name; raises DatasetError for any name but the three."""
        return {"training": self.training, "validation": self.validation, "test": self.test}[known_split(name)]


@dataclass(frozen=True, slots=True)
class StoredArray:
    """What is known of one array of a file without reading it: its shape and the SHA-256 stored next to it."""

    shape: tuple[int, ...]
    sha256: str


def known_split(name: str) -> str:
    """Return `name` if it is one of the three splits; raises DatasetError otherwise."""
    if name not in SPLITS:
        raise DatasetError(f"split is {name!r}, known are {', '.join(SPLITS)}")
    return name


def name_array(names: tuple[str, ...]) -> NDArray[np.bytes_]:
    """Return names as fixed-length UTF-8 (N,), the form in which they are stored and hashed."""
    return np.array([name.encode() for name in names], dtype=np.bytes_)


def array_sha256(array: NDArray[Any]) -> str:
    """Return the hex SHA-256 of an array's bytes: C order, little-endian."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return hashlib.sha256(plain.reshape(-1).view(np.uint8).data).hexdigest()


def arrays_of(split: Split) -> dict[str, NDArray[Any]]:
    """Return a split's three arrays by the names they are stored under."""
    return {"images": split.images, "labels": split.labels, "names": name_array(split.names)}


def dataset_sha256(stored: Mapping[str, Mapping[str, StoredArray]]) -> str:
    """Return the hex SHA-256 over every array's path, shape and SHA-256, as JSON with sorted keys.

    It identifies pixels, labels and names, split by split; not the source they came from, nor the file's bytes.
    """
    plain = {
        f"{split}/{name}": [list(array.shape), array.sha256]
        for split, arrays in stored.items()
        for name, array in arrays.items()
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
