import pytest

from data.benchmark import time_loading
from data.build import BuildOptions, build_dataset
from data.errors import DatasetError


def test_both_ways_are_timed_over_the_images_of_the_dataset(make, tmp_path):
    files = make.course() | {"faces/test_set/bad.jpg": b""}
    options = BuildOptions(image_size=(12, 12), skip_bad=True)
    for source in (make.zip(tmp_path / "a.zip", files), make.folder(tmp_path / "folder", files)):
        build_dataset(source, tmp_path / "a.h5", options)
        times = time_loading(tmp_path / "a.h5", source, repeats=2)
        assert (times.images, times.repeats) == (10, 2)
        assert min(times.file_seconds, times.hdf5_seconds, times.ratio) > 0


def test_the_images_that_a_table_lists_are_timed(make, tmp_path):
    for seed in range(8):
        (tmp_path / f"{seed}.jpg").write_bytes(make.image(seed))
    table = tmp_path / "labels.csv"
    table.write_text("path,value\n" + "".join(f"{seed}.jpg,{seed}\n" for seed in range(8)) + "missing.jpg,1\n")
    build_dataset(table, tmp_path / "a.h5", BuildOptions(image_size=(12, 12), skip_bad=True))
    times = time_loading(tmp_path / "a.h5", table, repeats=1)
    assert times.images == 8
    assert min(times.file_seconds, times.hdf5_seconds, times.ratio) > 0
    table.write_text("path,value\n0.jpg,0\n")
    with pytest.raises(DatasetError, match=r"labels\.csv has 1 of the 8 images"):
        time_loading(tmp_path / "a.h5", table, repeats=1)


def test_another_source_is_refused(make, tmp_path):
    files = make.course()
    build_dataset(make.zip(tmp_path / "a.zip", files), tmp_path / "a.h5", BuildOptions(image_size=(12, 12)))
    other = make.zip(tmp_path / "b.zip", dict(list(files.items())[1:]))
    with pytest.raises(DatasetError, match="has 9 of the 10 images"):
        time_loading(tmp_path / "a.h5", other, repeats=1)


def test_what_cannot_be_timed_is_refused(stored):
    with pytest.raises(DatasetError, match="synthetic, which has no image files"):
        time_loading(stored, "synthetic")
    with pytest.raises(DatasetError, match="repeats is 0"):
        time_loading(stored, "a.zip", repeats=0)
