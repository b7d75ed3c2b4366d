import errno
import fcntl
import os
from unittest.mock import Mock

import h5py
import numpy as np
import pytest

from data.arrays import SPLITS
from data.errors import DatasetError
from data.inspection import inspect_dataset
from data.structure import inspect_file


def refused(path, message):
    with pytest.raises(DatasetError, match=message) as caught:
        inspect_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_text_file_named_h5_is_told(tmp_path):
    (tmp_path / "a.h5").write_text("hello")
    refused(tmp_path / "a.h5", "is not an HDF5 file; make a dataset with: agesearch data build")


def test_a_file_cut_short_is_refused_wherever_it_is_cut(stored):
    whole = stored.read_bytes()
    for cut in range(0, len(whole) - 1, 211):
        stored.write_bytes(whole[:cut])
        refused(stored, "is not an HDF5 file|is a damaged dataset")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(stored):
    stored.chmod(0)
    refused(stored, "cannot be read: Permission denied")


def test_a_foreign_hdf5_file_is_told(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1
    refused(tmp_path / "a.h5", "it states no schema")


@pytest.mark.parametrize("split", SPLITS)
def test_a_missing_split_is_named(stored, split):
    with h5py.File(stored, "r+") as file:
        del file[split]
    refused(stored, f"lacks /{split}")


@pytest.mark.parametrize("name", ["images", "labels", "names"])
def test_a_missing_array_is_named(stored, name):
    with h5py.File(stored, "r+") as file:
        del file["test"][name]
    refused(stored, f"lacks /test/{name}")


@pytest.mark.parametrize("place", ["/", "/training"])
def test_an_unknown_member_is_named(stored, place):
    with h5py.File(stored, "r+") as file:
        file[place]["extra"] = 1
    refused(stored, "the unknown member 'extra'")


def test_soft_and_external_links_are_never_followed(stored):
    for link in (h5py.SoftLink("/training"), h5py.SoftLink("/nowhere"), h5py.ExternalLink("other.h5", "/test")):
        with h5py.File(stored, "r+") as file:
            del file["test"]
            file["test"] = link
        refused(stored, "/test is a link to elsewhere")


def test_links_to_arrays_are_never_followed(stored):
    with h5py.File(stored, "r+") as file:
        del file["test/images"]
        file["test/images"] = h5py.ExternalLink("/etc/passwd", "/images")
    refused(stored, "/test/images is a link to elsewhere")


def test_a_virtual_array_is_refused(stored):
    with h5py.File(stored, "r+") as file:
        layout = h5py.VirtualLayout((2, 8, 8, 1), np.uint8)
        layout[:] = h5py.VirtualSource("other.h5", "images", (2, 8, 8, 1))
        del file["test/images"]
        file["test"].create_virtual_dataset("images", layout)
    refused(stored, "not stored in one piece inside the file")


def test_an_array_in_another_file_is_refused(stored):
    with h5py.File(stored, "r+") as file:
        del file["test/images"]
        file["test"].create_dataset("images", (2, 8, 8, 1), np.uint8, external=[("/etc/passwd", 0, 128)])
    refused(stored, "not stored in one piece inside the file")


def test_a_compressed_array_is_refused(stored):
    with h5py.File(stored, "r+") as file:
        del file["test/images"]
        file["test"].create_dataset("images", data=np.zeros((2, 8, 8, 1), np.uint8), compression="gzip")
    refused(stored, "not stored in one piece inside the file")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("images", np.zeros((2, 8, 8, 1), np.float32)),
        ("images", np.zeros((2, 8, 8), np.uint8)),
        ("labels", np.zeros(2, np.float64)),
        ("labels", np.zeros(2, ">f4")),
        ("labels", np.zeros(2, np.int32)),
        ("images", np.zeros((2, 8, 8, 1), np.int8)),
        ("labels", np.zeros((2, 1), np.float32)),
        ("names", np.zeros(2, np.uint8)),
        ("names", np.array(["a", "b"], dtype=h5py.string_dtype())),
    ],
)
def test_a_wrong_type_or_rank_is_named(stored, name, array):
    with h5py.File(stored, "r+") as file:
        del file["test"][name]
        file["test"].create_dataset(name, data=array)
    refused(stored, f"/test/{name} is .* dimensions, expected")


def test_an_array_that_was_never_written_is_refused(stored):
    with h5py.File(stored, "r+") as file:
        del file["test/images"]
        file["test"].create_dataset("images", (10**6, 10**6, 10**3, 1), np.uint8)
    refused(stored, "/test/images is empty")


def test_counts_and_shapes_that_differ_are_named(stored):
    with h5py.File(stored, "r+") as file:
        sha256 = file["test/labels"].attrs["sha256"]
        del file["test/labels"]
        file["test"].create_dataset("labels", data=np.zeros(3, np.float32)).attrs["sha256"] = sha256
    refused(stored, "test has 2 images, 3 labels, 2 names")


def test_one_array_under_two_names_is_refused(stored):
    with h5py.File(stored, "r+") as file:
        del file["test"]
        file["test"] = file["training"]
    refused(stored, "two of its arrays are one and the same")


def test_another_schema_version_is_named(stored):
    with h5py.File(stored, "r+") as file:
        file.attrs["schema_version"] = 2
    refused(stored, "has schema version 2, this version reads 1; build the dataset again")


@pytest.mark.parametrize("value", ["text", np.zeros(3), np.bytes_(b"x" * 20_000)])
def test_an_attribute_that_is_no_short_text_is_refused(stored, value):
    with h5py.File(stored, "r+") as file:
        file.attrs["source"] = value
    refused(stored, "the attribute source of / is not a short text")


def test_a_digest_that_does_not_fit_the_checksums_is_refused(stored):
    with h5py.File(stored, "r+") as file:
        file["test/images"].attrs["sha256"] = np.bytes_(b"0" * 64)
    refused(stored, "its checksums do not make up its digest")


@pytest.mark.parametrize("locking", ["", "TRUE"])
def test_a_dataset_that_another_process_has_locked_for_writing_is_read(stored, dataset, locking, monkeypatch):
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", locking)
    with stored.open("r+b") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert inspect_dataset(stored).digest == dataset.digest


def test_what_the_operating_system_says_is_not_called_damage(stored, monkeypatch):
    for error in (OSError(errno.EIO, "EIO"), OSError(errno.ESTALE, "ESTALE"), PermissionError(errno.EACCES, "EACCES")):
        monkeypatch.setattr(h5py, "File", Mock(side_effect=error))
        with pytest.raises(DatasetError, match=f"^{stored} cannot be read: {os.strerror(error.errno)}$"):
            inspect_file(stored)
    monkeypatch.setattr(h5py, "File", Mock(side_effect=OSError(errno.EINVAL, "a place before the file's start")))
    with pytest.raises(DatasetError, match=f"^{stored} is a damaged dataset"):
        inspect_file(stored)
