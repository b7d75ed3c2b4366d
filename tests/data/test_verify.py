import json
from dataclasses import replace

import pytest

from data.build import BuildOptions, build_dataset
from data.dataset import make_dataset, open_dataset, write_dataset
from data.errors import DatasetError
from data.verify import verify_dataset

SMALL = BuildOptions(image_size=(12, 12))


@pytest.fixture
def built(make, tmp_path):
    source = make.folder(tmp_path / "source", make.course(""))
    build_dataset(source, tmp_path / "a.h5", SMALL)
    return tmp_path / "a.h5", source


def rewritten(path, **changes):
    """Store the dataset again with parts of its test split changed, checksums included."""
    read = open_dataset(path)
    splits = {"training": read.training, "validation": read.validation, "test": replace(read.test, **changes)}
    write_dataset(path, make_dataset(splits, read.source, read.source_digest, read.options))


def test_a_fresh_dataset_is_lossless(built):
    report = verify_dataset(*built)
    assert (report.images, report.lossless, report.source_matches) == (10, True, True)
    assert json.loads(json.dumps(report.as_dict()))["lossless"] is True


def test_crops_are_verified_with_the_settings_they_were_built_with(make, tmp_path):
    source = make.zip(tmp_path / "a.zip", make.crops(30) | {"UTKFace/x.jpg": b""})
    build_dataset(source, tmp_path / "a.h5", BuildOptions(image_size=(16, 20), seed=4, skip_bad=True))
    report = verify_dataset(tmp_path / "a.h5", source)
    assert (report.images, report.lossless) == (30, True)


def test_a_crop_that_went_bad_is_the_one_difference_though_the_others_would_be_divided_otherwise(make, tmp_path):
    crops = make.crops(60)
    source = make.folder(tmp_path / "source", crops)
    build_dataset(source, tmp_path / "a.h5", SMALL)
    broken = sorted(crops)[7]
    (source / broken).write_bytes(b"text")
    report = verify_dataset(tmp_path / "a.h5", source)
    assert (report.images, report.count) == (59, 1)
    assert f"{broken.rpartition('/')[2]} is in the dataset, but in the source it is not a JPEG" in report.differences[0]


def test_a_crop_that_came_later_is_in_no_split_of_the_dataset(make, tmp_path):
    crops = make.crops(60)
    source = make.folder(tmp_path / "source", dict(list(crops.items())[1:]))
    build_dataset(source, tmp_path / "a.h5", SMALL)
    make.folder(source, crops)
    report = verify_dataset(tmp_path / "a.h5", source)
    assert (report.images, report.count) == (59, 1)
    assert "is in this split by the source, but not in the dataset" in report.differences[0]


def test_the_synthetic_dataset_is_drawn_again(tmp_path):
    build_dataset("synthetic", tmp_path / "a.h5", BuildOptions(sizes=(3, 2, 1), image_size=(24, 24), seed=8))
    assert verify_dataset(tmp_path / "a.h5", "synthetic").lossless


def test_one_changed_pixel_is_found(built):
    images = open_dataset(built[0]).test.images
    images[1, 3, 3, 0] ^= 1
    rewritten(built[0], images=images)
    report = verify_dataset(*built)
    assert report.differences == ("test: test_set/030_20160000000000010.jpg differs from the source in its pixels",)


def test_a_changed_label_is_found(built):
    rewritten(built[0], labels=open_dataset(built[0]).test.labels + 1)
    report = verify_dataset(*built)
    assert report.count == 2
    assert "has the label 30, the source says 29" in report.differences[0]


def test_a_changed_name_and_a_doubled_one_are_found(built):
    rewritten(built[0], names=("test_set/029_20160000000000009.jpg",) * 2)
    told = " ".join(verify_dataset(*built).differences)
    assert "in the dataset more than once" in told
    assert "030_20160000000000010.jpg is in this split by the source, but not in the dataset" in told


def test_damage_behind_the_checksums_is_found(built):
    path, source = built
    content = path.read_bytes()
    pixels = open_dataset(path).training.images[2].tobytes()
    path.write_bytes(content.replace(pixels, bytes(len(pixels))))
    report = verify_dataset(path, source)
    assert report.differences[0] == "training/images does not match its SHA-256"
    assert report.count == 2


def test_a_changed_source_is_found(built, make):
    path, source = built
    (source / "test_set/030_20160000000000010.jpg").write_bytes(b"text")
    make.folder(source, {"test_set/031_1.jpg": make.image(9)})
    report = verify_dataset(path, source)
    assert not report.source_matches
    assert report.count == 2
    assert "but in the source it is not a JPEG or PNG image" in report.differences[0]
    assert "031_1.jpg is in this split by the source, but not in the dataset" in report.differences[1]


@pytest.mark.parametrize("how", [lambda file: file.unlink(), lambda file: file.write_bytes(b"text")])
@pytest.mark.parametrize("lost", [["test_set"], ["test_set", "validation_set"], ["*_set"]])
def test_a_source_that_lost_all_images_of_a_split_or_of_all_differs_by_these(built, lost, how):
    path, source = built
    gone = [file for folder in lost for file in source.glob(f"{folder}/*")]
    for file in gone:
        how(file)
    report = verify_dataset(path, source)
    assert (report.images, report.count) == (10 - len(gone), len(gone))
    assert all(
        f"/{file.name} is in the dataset, but in the source it is not" in " ".join(report.differences) for file in gone
    )


def test_an_archive_that_lost_split_folders_differs_by_their_images(make, tmp_path):
    source = make.zip(tmp_path / "a.zip", make.course())
    build_dataset(source, tmp_path / "a.h5", SMALL)
    left = {name: content for name, content in make.course().items() if "training" in name}
    report = verify_dataset(tmp_path / "a.h5", make.zip(source, left))
    assert (report.images, report.count) == (5, 5)


@pytest.mark.parametrize("left", [0, 1, 2, 30])
def test_of_crops_any_number_may_be_gone(left, make, tmp_path):
    crops = make.crops(60)
    source = make.folder(tmp_path / "source", crops)
    build_dataset(source, tmp_path / "a.h5", SMALL)
    for name in list(crops)[left:]:
        (source / name).unlink()
    report = verify_dataset(tmp_path / "a.h5", source)
    assert (report.images, report.count) == (left, 60 - left)


@pytest.mark.parametrize("column", ["", ",split"])
def test_of_the_images_of_a_table_any_number_may_be_gone(column, make, tmp_path):
    images = {f"{number:02d}.png": make.image(number, form="PNG") for number in range(12)}
    splits = ("train", "val", "test") if column else ("",)
    rows = [f"{name},{number},{splits[number % len(splits)]}".rstrip(",") for number, name in enumerate(images)]
    source = make.folder(tmp_path / "source", images) / "labels.csv"
    source.write_text("\n".join([f"path,value{column}", *rows]))
    build_dataset(source, tmp_path / "a.h5", SMALL)
    for number, name in enumerate(reversed(images), start=1):
        (source.parent / name).unlink()
        report = verify_dataset(tmp_path / "a.h5", source)
        assert (report.images, report.count) == (12 - number, number)
    source.write_text(f"path,value{column}\n")
    assert verify_dataset(tmp_path / "a.h5", source).count == 12


def test_a_long_list_of_differences_is_counted_and_cut(make, tmp_path):
    source = make.zip(tmp_path / "a.zip", make.crops(60))
    build_dataset(source, tmp_path / "a.h5", SMALL)
    # The same names, each with the picture of another.
    names = sorted(make.crops(60))
    other = dict(zip(names, reversed(make.crops(60).values()), strict=True))
    report = verify_dataset(tmp_path / "a.h5", make.zip(tmp_path / "b.zip", other))
    assert report.count > 20
    assert len(report.differences) == 20


def test_the_wrong_kind_of_source_is_refused(built):
    with pytest.raises(DatasetError, match="is of the layout course, so it cannot be verified against synthetic"):
        verify_dataset(built[0], "synthetic")


def test_the_paper_s_dataset_is_stored_without_loss(paper_h5, paper_zip):
    report = verify_dataset(paper_h5, paper_zip)
    assert (report.images, report.count, report.source_matches) == (8874, 0, True)
