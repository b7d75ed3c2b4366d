"""The checks that a dataset file passes before any of its pixels is read, by the HDF5 library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

from data.arrays import ARRAYS, SPLITS, StoredArray, dataset_sha256
from data.errors import DatasetError, system_reason
from data.info import LONGEST_TEXT, SCHEMA, SCHEMA_VERSION, DatasetInfo, Extent

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_DTYPES: Final = {"images": "u1", "labels": "<f4"}
_NDIM: Final = {"images": 4, "labels": 1, "names": 1}
_KINDS: Final = {"images": "uint8", "labels": "32-bit floats", "names": "fixed-length text"}


def inspect_file(path: Path) -> DatasetInfo:
    """Check a dataset file's whole structure, reading no pixel; raises DatasetError naming the path.

    Checked are: the schema version; that exactly the three splits with their three arrays are there, by hard links
    alone; that each array is contiguous, unfiltered, inside this file, no other's twin and of the exact type; equal
    counts and image shapes; and that the stored checksums make up the stored digest.

    A hostile file may crash the HDF5 library and with it this process; `data.inspection` runs it in one of its own.
    """
    try:
        _check_hdf5(path)
        with h5py.File(path, "r", locking=False) as file:
            return _inspect(path, file)
    except DatasetError:
        raise
    except (
        OSError,
        KeyError,
        RuntimeError,
        ValueError,
        TypeError,
        OverflowError,
        MemoryError,
        AttributeError,
    ) as error:
        # These are what h5py and numpy raise on damaged files.
        if reason := system_reason(error):
            raise DatasetError(f"{path} cannot be read: {reason}") from error
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"{path} is a damaged dataset: {reason}") from error


def _check_hdf5(path: Path) -> None:
    with path.open("rb") as file:
        file.read(1)  # A file that cannot be read must not be called damaged or foreign.
    if not h5py.is_hdf5(path):
        raise DatasetError(f"{path} is not an HDF5 file; make a dataset with: agesearch data build SOURCE --out F.h5")


def _inspect(path: Path, file: h5py.File) -> DatasetInfo:
    _check_schema(path, file)
    _check_members(path, file, SPLITS, h5py.Group)
    for split in SPLITS:
        _check_members(path, file[split], ARRAYS, h5py.Dataset)
    arrays = {split: {name: _stored(path, file[split][name], name) for name in ARRAYS} for split in SPLITS}
    extents = {split: {name: _extent(file[split][name]) for name in ARRAYS} for split in SPLITS}
    _check_distinct(path, extents)
    _check_agreement(path, arrays)
    digest = _text(path, file, "digest")
    if digest != dataset_sha256(arrays):
        raise DatasetError(f"{path} is a damaged dataset: its checksums do not make up its digest")
    height, width, channels = arrays[SPLITS[0]]["images"].shape[1:]
    return DatasetInfo(
        path=path,
        digest=digest,
        source=_text(path, file, "source"),
        source_digest=_text(path, file, "source_digest"),
        options=_text(path, file, "options"),
        counts={split: arrays[split]["images"].shape[0] for split in SPLITS},
        image_shape=(height, width, channels),
        arrays=arrays,
        extents=extents,
    )


def _check_schema(path: Path, file: h5py.File) -> None:
    if "schema" not in file.attrs or "schema_version" not in file.attrs:
        raise DatasetError(f"{path} is an HDF5 file but not a dataset: it states no schema; make one with data build")
    if _text(path, file, "schema") != SCHEMA:
        raise DatasetError(f"{path} is an HDF5 file of another kind; make a dataset with data build")
    version = file.attrs.get_id("schema_version")
    if version.shape != () or version.dtype.kind not in "iu":
        raise DatasetError(f"{path} is a damaged dataset: its schema version is not a number")
    if int(file.attrs["schema_version"]) != SCHEMA_VERSION:
        raise DatasetError(
            f"{path} has schema version {int(file.attrs['schema_version'])}, this version reads {SCHEMA_VERSION}; "
            "build the dataset again"
        )


def _check_members(path: Path, group: h5py.Group, expected: Collection[str], kind: type) -> None:
    """Raise DatasetError unless the group holds exactly the expected members, by hard links, of that kind."""
    if len(group) > len(expected):
        extra = next(name for name in group if name not in expected)
        raise DatasetError(f"{path} is not a dataset of agesearch: {group.name} holds the unknown member {extra!r}")
    for name in expected:
        shown = f"{group.name.rstrip('/')}/{name}"
        # The low-level calls look at the link alone; asking `name in group` would follow it.
        if not group.id.links.exists(name.encode()):
            raise DatasetError(f"{path} lacks {shown}; build the dataset again")
        if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            raise DatasetError(f"{path}: {shown} is a link to elsewhere, which is never followed")
        if not isinstance(group[name], kind):
            raise DatasetError(f"{path}: {shown} is not a {kind.__name__.lower()}")


def _stored(path: Path, array: h5py.Dataset, name: str) -> StoredArray:
    """Check one array's type, place and size without reading it."""
    plist = array.id.get_create_plist()
    if array.is_virtual or array.external or plist.get_layout() != h5py.h5d.CONTIGUOUS or plist.get_nfilters():
        raise DatasetError(f"{path}: {array.name} is not stored in one piece inside the file")
    if not _right_type(array, name) or array.ndim != _NDIM[name]:
        raise DatasetError(
            f"{path}: {array.name} is {array.dtype} of {array.ndim} dimensions, "
            f"expected {_KINDS[name]} of {_NDIM[name]}"
        )
    start, size = array.id.get_offset(), array.id.get_storage_size()
    if 0 in array.shape or start is None:
        raise DatasetError(f"{path}: {array.name} is empty; build the dataset again")
    # Python integers: a damaged shape must not overflow into a small product.
    expected = array.dtype.itemsize
    for length in array.shape:
        expected *= int(length)
    if size != expected or start + size > path.stat().st_size:
        raise DatasetError(f"{path} is damaged or cut short: {array.name} reaches beyond the end of the file")
    sha256 = _text(path, array, "sha256")
    if not _SHA256.fullmatch(sha256):
        raise DatasetError(f"{path} is a damaged dataset: {array.name} has no valid SHA-256")
    return StoredArray(tuple(int(length) for length in array.shape), sha256)


def _right_type(array: h5py.Dataset, name: str) -> bool:
    """Whether an array's bytes in the file are those that NumPy works with, so that they need no conversion."""
    dtype = array.dtype if name == "names" else np.dtype(_DTYPES[name])
    if name == "names" and (dtype.kind != "S" or dtype.itemsize < 1):
        return False
    return bool(array.id.get_type().equal(h5py.h5t.py_create(dtype)))


def _extent(array: h5py.Dataset) -> Extent:
    return Extent(array.dtype.str, int(array.id.get_offset()))


def _check_distinct(path: Path, extents: dict[str, dict[str, Extent]]) -> None:
    """Raise DatasetError where two names lead to one array: a test split must not be the training split."""
    starts = [extent.offset for of_split in extents.values() for extent in of_split.values()]
    if len(set(starts)) != len(starts):
        raise DatasetError(f"{path}: two of its arrays are one and the same")


def _check_agreement(path: Path, arrays: dict[str, dict[str, StoredArray]]) -> None:
    """Raise DatasetError where the counts within a split, or the image shapes of two splits, differ."""
    for split, stored in arrays.items():
        if len({array.shape[0] for array in stored.values()}) != 1:
            counts = ", ".join(f"{array.shape[0]} {name}" for name, array in stored.items())
            raise DatasetError(f"{path}: {split} has {counts}; their numbers must be equal")
    shapes = {split: stored["images"].shape[1:] for split, stored in arrays.items()}
    if len(set(shapes.values())) != 1:
        raise DatasetError(f"{path}: the image shapes of its splits differ: {shapes}")


def _text(path: Path, holder: h5py.File | h5py.Dataset, name: str) -> str:
    """Read a text attribute: one fixed-length UTF-8 string of bounded length."""
    if name not in holder.attrs:
        raise DatasetError(f"{path} is not a complete dataset: {holder.name} lacks the attribute {name}")
    stored = holder.attrs.get_id(name)
    if stored.shape != () or stored.dtype.kind != "S" or stored.dtype.itemsize > LONGEST_TEXT:
        raise DatasetError(f"{path} is a damaged dataset: the attribute {name} of {holder.name} is not a short text")
    value = np.empty((), stored.dtype)
    stored.read(value)
    return bytes(value[()]).decode()
