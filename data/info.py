"""What a dataset file says of itself: all of it but its pixels, labels and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.options import stored_unit

if TYPE_CHECKING:
    from pathlib import Path

    from data.arrays import StoredArray

SCHEMA: Final = "agesearch dataset"
SCHEMA_VERSION: Final = 1
LONGEST_TEXT: Final = 16_384
"""Bytes of an attribute at most."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the bytes of an array lie in its file, in one piece: their NumPy type, and the offset of the first."""

    dtype: str
    offset: int


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a dataset file says of itself.

    `counts` are the images of training, validation and test, `image_shape` is (H, W, C); `options` are the settings of
    the build as JSON, `arrays` the shapes and checksums by split and array, and `extents` where each of them lies.
    """

    path: Path
    digest: str
    source: str
    source_digest: str
    options: str
    counts: dict[str, int]
    image_shape: tuple[int, int, int]
    arrays: dict[str, dict[str, StoredArray]]
    extents: dict[str, dict[str, Extent]]

    @property
    def unit(self) -> str:
        """The unit of the labels, for people; "" where they have none."""
        return stored_unit(self.options)
