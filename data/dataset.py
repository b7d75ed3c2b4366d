"""Dataset files: three splits of images, labels and names in HDF5, read split by split and written whole.

/                                  schema, schema_version, digest, source, source_digest, options
/training, /validation, /test
    images   uint8 (N, H, W, C)    contiguous, so that one read loads a split; each array has its sha256
    labels   float32 (N,)          age in years, or a value in another unit
    names    fixed-length UTF-8 (N,)
"""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from data.arrays import (
    ARRAYS,
    SPLITS,
    Dataset,
    Split,
    StoredArray,
    array_sha256,
    arrays_of,
    dataset_sha256,
    known_split,
)
from data.errors import DatasetError
from data.files import Kind, whole_file
from data.info import LONGEST_TEXT, SCHEMA, SCHEMA_VERSION, DatasetInfo
from data.inspection import inspect_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "SPLITS",
    "Dataset",
    "DatasetInfo",
    "Split",
    "inspect_dataset",
    "make_dataset",
    "open_dataset",
    "read_labels",
    "read_split",
    "write_dataset",
]


def open_dataset(path: Path, *, verify: bool = True) -> Dataset:
    """Check a dataset file and read all three splits, comparing every array with its SHA-256 unless not to `verify`.

    Raises DatasetError for anything but a whole dataset of this schema version.
    """
    info = inspect_dataset(path)
    splits = {name: _read(info, name, verify=verify) for name in SPLITS}
    return Dataset(
        training=splits["training"],
        validation=splits["validation"],
        test=splits["test"],
        digest=info.digest,
        source=info.source,
        source_digest=info.source_digest,
        options=info.options,
    )


def read_split(path: Path, name: str, *, verify: bool = True) -> Split:
    """Check a dataset file and read one split of it, touching no pixel of the others.

    The split's arrays are compared with their SHA-256 unless not to `verify`. Raises DatasetError for an unknown name
    and for anything but a whole dataset of this schema version.
    """
    known_split(name)
    return _read(inspect_dataset(path), name, verify=verify)


def read_labels(path: Path, name: str) -> NDArray[np.float32]:
    """Check a dataset file and read one split's labels, float32 (N,), and nothing else of it.

    Raises DatasetError as `read_split` does.
    """
    known_split(name)
    labels: NDArray[np.float32] = _read_array(inspect_dataset(path), name, "labels", verify=True)
    return labels


def make_dataset(splits: dict[str, Split], source: str, source_digest: str, options: str = "{}") -> Dataset:
    """Check three splits and join them into a dataset with its digest.

    Raises DatasetError where a split is missing or empty, or where types, shapes or counts are not those of `Split`.
    """
    if set(splits) != set(SPLITS):
        raise DatasetError(f"splits are {sorted(splits)}, expected {', '.join(SPLITS)}")
    for name in SPLITS:
        _check_split(name, splits[name])
    shapes = {splits[name].images.shape[1:] for name in SPLITS}
    if len(shapes) != 1:
        raise DatasetError(f"the image shapes of the splits differ: {sorted(shapes)}")
    digest = dataset_sha256({name: _stored(splits[name]) for name in SPLITS})
    return Dataset(
        training=splits["training"],
        validation=splits["validation"],
        test=splits["test"],
        digest=digest,
        source=source,
        source_digest=source_digest,
        options=options,
    )


def write_dataset(path: Path, dataset: Dataset) -> None:
    """Write a dataset whole: the same dataset gives the same bytes; raises DatasetError where it cannot be written."""
    content = _hdf5(dataset)
    with whole_file(path, Kind.DATASET) as temporary:
        temporary.write_bytes(content.getbuffer())


def _hdf5(dataset: Dataset) -> BytesIO:
    """Return the bytes of a dataset's file, made in memory, because a disk that fails under the library crashes it.

    They take as much memory as the arrays. That is no more than building these took, when each image was there twice.
    """
    import h5py

    content = BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["schema_version"] = SCHEMA_VERSION
        for name, text in _texts(dataset).items():
            file.attrs[name] = np.bytes_(text.encode())
        for name in SPLITS:
            group = file.create_group(name)
            for array_name, array in arrays_of(dataset.split(name)).items():
                stored = group.create_dataset(array_name, data=array)
                stored.attrs["sha256"] = np.bytes_(array_sha256(array).encode())
    return content


def _texts(dataset: Dataset) -> dict[str, str]:
    """Return the texts that a file states; raises DatasetError for one that is too long to be stored."""
    texts = {
        "schema": SCHEMA,
        "digest": dataset.digest,
        "source": dataset.source,
        "source_digest": dataset.source_digest,
        "options": dataset.options,
    }
    for name, text in texts.items():
        if len(text.encode()) > LONGEST_TEXT:
            raise DatasetError(f"{name} is {len(text.encode())} bytes long, at most {LONGEST_TEXT} can be stored")
    return texts


def _stored(split: Split) -> dict[str, StoredArray]:
    return {name: StoredArray(array.shape, array_sha256(array)) for name, array in arrays_of(split).items()}


def _check_split(name: str, split: Split) -> None:
    images, labels = split.images, split.labels
    if images.dtype != np.uint8 or images.ndim != 4 or 0 in images.shape:
        raise DatasetError(
            f"{name} images are {images.dtype} {images.shape}, expected uint8 (N, H, W, C), none of them 0"
        )
    if labels.dtype != np.float32 or labels.shape != images.shape[:1] or len(split.names) != len(images):
        raise DatasetError(
            f"{name} has {len(images)} images, labels {labels.dtype} {labels.shape} and {len(split.names)} names, "
            "expected as many float32 labels and names as images"
        )
    if not np.isfinite(labels).all():
        raise DatasetError(f"{name} has a label that is not a finite number")
    if any(not text or "\0" in text for text in split.names):
        raise DatasetError(f"{name} has an empty name, or one with a null character")


def _read(info: DatasetInfo, name: str, *, verify: bool) -> Split:
    arrays = {array: _read_array(info, name, array, verify=verify) for array in ARRAYS}
    if not np.isfinite(arrays["labels"]).all():
        raise DatasetError(f"{info.path} is a damaged dataset: {name} has a label that is not a finite number")
    try:
        names = tuple(text.decode() for text in arrays["names"].tolist())
    except UnicodeDecodeError as error:
        raise DatasetError(f"{info.path} is a damaged dataset: {name} has a name that is not text") from error
    return Split(arrays["images"], arrays["labels"], names)


def _read_array(info: DatasetInfo, split: str, name: str, *, verify: bool) -> NDArray[Any]:
    """Read one array from its place in the file, without the HDF5 library, which a hostile file could mislead."""
    extent, stored = info.extents[split][name], info.arrays[split][name]
    try:
        array = np.fromfile(info.path, np.dtype(extent.dtype), math.prod(stored.shape), offset=extent.offset)
    except (OSError, MemoryError) as error:
        raise DatasetError(f"{info.path} cannot be read: {error}") from error
    if array.size != math.prod(stored.shape):
        raise DatasetError(f"{info.path} is cut short: {split}/{name} reaches beyond the end of the file")
    if verify and array_sha256(array) != stored.sha256:
        raise DatasetError(
            f"{info.path} is damaged: {split}/{name} does not match its SHA-256; build the dataset again"
        )
    return array.reshape(stored.shape)
