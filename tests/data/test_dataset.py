import dataclasses
import subprocess
import sys

import h5py
import numpy as np
import pytest

from data.arrays import SPLITS, Split, array_sha256
from data.dataset import (
    inspect_dataset,
    make_dataset,
    open_dataset,
    read_labels,
    read_split,
    write_dataset,
)
from data.errors import DatasetError


def same(one, other):
    return (
        np.array_equal(one.images, other.images)
        and np.array_equal(one.labels, other.labels)
        and one.names == other.names
        and (one.images.dtype, one.labels.dtype) == (other.images.dtype, other.labels.dtype)
    )


def splits_of(dataset):
    return {name: dataset.split(name) for name in SPLITS}


def test_what_is_written_is_read_back(dataset, stored):
    read = open_dataset(stored)
    assert all(same(read.split(name), dataset.split(name)) for name in SPLITS)
    assert (read.digest, read.source, read.source_digest, read.options) == (dataset.digest, "faces.zip", "0" * 64, "{}")


def test_one_split_is_read_without_the_others(dataset, stored):
    with h5py.File(stored, "r+") as file:
        for name in ("images", "labels", "names"):
            file["test"][name][...] = np.zeros((), file["test"][name].dtype)
    assert same(read_split(stored, "training"), dataset.training)
    assert same(read_split(stored, "validation"), dataset.validation)
    with pytest.raises(DatasetError, match="test/images does not match its SHA-256"):
        read_split(stored, "test")


def test_labels_can_be_read_alone(dataset, stored):
    assert (read_labels(stored, "test") == dataset.test.labels).all()


def test_an_unknown_split_is_named(stored):
    for read in (read_split, read_labels):
        with pytest.raises(DatasetError, match="split is 'train', known are training, validation, test"):
            read(stored, "train")


def test_inspecting_tells_what_a_file_holds(dataset, stored):
    info = inspect_dataset(stored)
    assert info.counts == {"training": 5, "validation": 3, "test": 2}
    assert info.image_shape == (8, 8, 1)
    assert info.digest == dataset.digest
    assert info.arrays["test"]["images"].sha256 == array_sha256(dataset.test.images)


def test_the_same_dataset_gives_the_same_bytes(dataset, stored, tmp_path):
    write_dataset(tmp_path / "again.h5", dataset)
    assert (tmp_path / "again.h5").read_bytes() == stored.read_bytes()


def test_the_digest_changes_with_a_pixel_a_label_a_name_or_a_split_but_not_with_the_source(dataset):
    pixels, labels = dataset.test.images.copy(), dataset.test.labels.copy()
    pixels[0, 0, 0, 0] ^= 1
    labels[0] += 1
    tests = [
        dataclasses.replace(dataset.test, images=pixels),
        dataclasses.replace(dataset.test, labels=labels),
        dataclasses.replace(dataset.test, names=("a.jpg", "b.jpg")),
    ]
    variants = [splits_of(dataset) | {"test": test} for test in tests]
    variants.append(splits_of(dataset) | {"test": dataset.validation, "validation": dataset.test})
    digests = {make_dataset(splits, "x", "y").digest for splits in variants}
    assert len(digests | {dataset.digest}) == 5
    assert make_dataset(splits_of(dataset), "other.tar", "1" * 64).digest == dataset.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 8, 8, 1), np.float32)}, "test images are float32"),
        ({"images": np.zeros((2, 8, 8), np.uint8)}, "test images are uint8"),
        ({"images": np.zeros((0, 8, 8, 1), np.uint8)}, "none of them 0"),
        ({"images": np.zeros((3, 8, 8, 1), np.uint8)}, "test has 3 images"),
        ({"images": np.zeros((2, 9, 8, 1), np.uint8)}, "image shapes of the splits differ"),
        ({"labels": np.array([1, np.nan], np.float32)}, "a label that is not a finite number"),
        ({"labels": np.array([1, 2])}, "as many float32 labels"),
        ({"names": ("a", "")}, "an empty name"),
        ({"names": ("a", "b\0c")}, "a null character"),
    ],
)
def test_a_split_that_cannot_be_stored_is_refused(dataset, change, message):
    test = Split(**{field.name: getattr(dataset.test, field.name) for field in dataclasses.fields(Split)} | change)
    with pytest.raises(DatasetError, match=message):
        make_dataset(splits_of(dataset) | {"test": test}, "x", "y")


def test_a_missing_split_is_refused_before_writing(dataset):
    with pytest.raises(DatasetError, match="splits are"):
        make_dataset({"training": dataset.training}, "x", "y")


def test_text_too_long_to_be_read_again_is_not_written(dataset, tmp_path):
    with pytest.raises(DatasetError, match="options is 20000 bytes long"):
        write_dataset(tmp_path / "a.h5", dataclasses.replace(dataset, options="x" * 20_000))
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_named(dataset, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot write"):
        write_dataset(tmp_path / "file/a.h5", dataset)


WRITE_WITHIN = """
import resource, sys
from pathlib import Path
from data.dataset import open_dataset, write_dataset
from data.errors import DatasetError
path, copy = Path(sys.argv[1]), Path(sys.argv[2])
dataset, size = open_dataset(path), path.stat().st_size
old = path.read_bytes()
copy.write_bytes(old)
for limit in range(0, size, 97):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_dataset(copy, dataset)
    except DatasetError as error:
        assert f"cannot write {copy}: File too large" in str(error), error
        assert copy.read_bytes() == old
        assert {file.name for file in copy.parent.iterdir()} == {path.name, copy.name}
"""


def test_a_disk_that_takes_no_more_bytes_never_reaches_the_hdf5_library(stored):
    """Files are limited to every size there is in steps, whatever the library would be writing just then."""
    program = [sys.executable, "-c", WRITE_WITHIN, stored, stored.with_name("copy.h5")]
    ended = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert open_dataset(stored).digest
