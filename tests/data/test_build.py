import json

import numpy as np
import pytest

from data.build import BuildOptions, build_dataset
from data.dataset import inspect_dataset, open_dataset
from data.errors import DatasetError, RejectedFilesError
from data.statistics import dataset_statistics
from data.verify import verify_dataset

SMALL = BuildOptions(image_size=(12, 12))


def test_folder_zip_and_tar_build_the_same_dataset(make, tmp_path):
    files = make.course()
    sources = [
        make.folder(tmp_path / "folder", files),
        make.zip(tmp_path / "a.zip", files),
        make.tar(tmp_path / "a.tar.gz", dict(reversed(files.items()))),
    ]
    reports = [build_dataset(source, tmp_path / f"{place}.h5", SMALL) for place, source in enumerate(sources)]
    assert len({report.digest for report in reports}) == 1
    assert len({report.source_digest for report in reports}) == 1
    assert [report.source for report in reports] == ["folder", "a.zip", "a.tar.gz"]


def test_the_report_is_what_was_written(make, tmp_path):
    report = build_dataset(make.zip(tmp_path / "a.zip", make.course()), tmp_path / "a.h5", SMALL)
    info = inspect_dataset(tmp_path / "a.h5")
    assert (report.digest, report.counts, report.image_shape) == (info.digest, info.counts, info.image_shape)
    assert json.loads(json.dumps(report.as_dict()))["counts"] == {"training": 5, "validation": 3, "test": 2}
    assert json.loads(info.options)["layout"] == report.layout == "course"


def test_bad_files_leave_nothing_written(make, tmp_path):
    source = make.zip(tmp_path / "a.zip", make.course() | {"faces/test_set/bad.jpg": b""})
    with pytest.raises(RejectedFilesError):
        build_dataset(source, tmp_path / "out/a.h5", SMALL)
    assert list(tmp_path.iterdir()) == [source]
    report = build_dataset(source, tmp_path / "a.h5", BuildOptions(image_size=(12, 12), skip_bad=True))
    assert [one.name for one in report.rejected] == ["test_set/bad.jpg"]


@pytest.mark.parametrize("name", ["Köln", "K\udcf6ln"])
def test_a_source_may_have_any_name_itself(name, make, tmp_path):
    course = make.folder(tmp_path / name, make.course(""))
    assert build_dataset(course, tmp_path / "a.h5", SMALL).source == name.replace("\udcf6", "?")
    images = {f"{number}.png": make.image(number, form="PNG") for number in range(8)}
    table = make.folder(tmp_path / "parts", images) / f"{name}.csv"
    table.write_text("path,value\n" + "".join(f"{number}.png,{number}\n" for number in range(8)))
    assert build_dataset(table, tmp_path / "b.h5", SMALL).source == f"{name}.csv".replace("\udcf6", "?")
    assert verify_dataset(tmp_path / "b.h5", table).source_matches


def test_the_source_is_never_overwritten(make, tmp_path):
    source = make.zip(tmp_path / "a.zip", make.course())
    before = source.read_bytes()
    with pytest.raises(DatasetError, match="is the source itself; choose another --out"):
        build_dataset(source, tmp_path / "a.zip", SMALL)
    assert source.read_bytes() == before


def test_a_file_that_is_no_dataset_is_never_overwritten_nor_is_anything_decoded(make, tmp_path):
    folder = make.folder(tmp_path / "folder", make.course(""))
    image = folder / "test_set/029_20160000000000009.jpg"
    before = image.read_bytes()
    with pytest.raises(DatasetError, match="no dataset that agesearch wrote; choose another --out"):
        build_dataset(folder, image, SMALL, progress=lambda *_: pytest.fail("an image was decoded"))
    assert image.read_bytes() == before


def test_a_dataset_is_built_anew_in_its_place(make, tmp_path):
    source = make.zip(tmp_path / "a.zip", make.course())
    one, other = (build_dataset(source, tmp_path / "a.h5", SMALL) for _ in range(2))
    assert one.digest == other.digest


def test_an_unwritable_output_is_told_before_the_source_is_read(tmp_path):
    with pytest.raises(DatasetError, match=r"cannot write .*: it is a folder"):
        build_dataset(tmp_path / "nowhere.zip", tmp_path, SMALL)


def test_a_missing_source_is_named(tmp_path):
    (tmp_path / "a.h5").touch()
    for out in ("a.h5", "b.h5"):
        with pytest.raises(DatasetError, match=r"nowhere.zip does not exist; give a folder"):
            build_dataset(tmp_path / "nowhere.zip", tmp_path / out, SMALL)


def test_the_synthetic_dataset_needs_no_files(tmp_path):
    options = BuildOptions(sizes=(6, 3, 2), image_size=(24, 24), seed=3)
    report = build_dataset("synthetic", tmp_path / "a.h5", options)
    assert (report.layout, report.source, report.counts) == (
        "synthetic",
        "synthetic",
        {"training": 6, "validation": 3, "test": 2},
    )
    assert build_dataset("synthetic", tmp_path / "b.h5", options).digest == report.digest


def test_the_paper_s_dataset_gives_table_1(paper_h5):
    splits = dataset_statistics(paper_h5).splits
    table = {
        name: (one.count, round(one.mean, 2), round(one.sd, 2), one.quartile_1, one.median, one.quartile_3)
        for name, one in splits.items()
    }
    assert table == {
        "training": (5400, 32.03, 18.23, 23, 29, 42),
        "validation": (2315, 32.02, 18.23, 23, 29, 42),
        "test": (1159, 32.00, 18.22, 23, 29, 42),
    }


def test_the_raw_sample_is_read_with_its_oddly_named_files(raw_zip, tmp_path):
    with pytest.raises(RejectedFilesError) as caught:
        build_dataset(raw_zip, tmp_path / "raw.h5")
    assert all("out of the range 1-80" in one.reason for one in caught.value.rejected)
    report = build_dataset(raw_zip, tmp_path / "raw.h5", BuildOptions(skip_bad=True))
    assert report.counts == {"training": 706, "validation": 303, "test": 151}
    assert len(report.rejected) == 39
    read = open_dataset(tmp_path / "raw.h5")
    odd = {"39_1_20170116174525125.jpg.chip.jpg": 39.0, "55_0_0_20170116232725357jpg.chip.jpg": 55.0}
    labels = {}
    for split in (read.training, read.validation, read.test):
        labels |= dict(zip(split.names, split.labels.tolist(), strict=True))
    assert odd.items() <= labels.items()
    assert np.ptp(list(labels.values())) == 79
