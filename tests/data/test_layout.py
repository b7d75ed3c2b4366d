from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import DatasetError
from data.layout import Layout, find_layout, parse_name, split_of
from data.members import Limits
from data.sources import Kind, Source

CROP = "30_0_0_20170109150557335.jpg.chip.jpg"


def source(*names):
    return Source(Path("faces.zip"), Kind.ZIP, tuple(sorted(names)), Limits())


@pytest.mark.parametrize(
    "folders",
    [
        ("training_set", "validation_set", "test_set"),
        ("train", "val", "test"),
        ("train", "validation", "test"),
        ("training", "validation", "test"),
        ("Train", "Valid", "Test"),
        ("TRAINING_SET", "Val", "test"),
    ],
)
@pytest.mark.parametrize("top", ["", "top/", "a/b/"])
def test_split_folders_make_the_course_layout(folders, top):
    names = [f"{top}{folder}/030_1.jpg" for folder in folders]
    assert find_layout(source(*names)) is Layout.COURSE
    assert [split_of(name) for name in names] == ["training", "validation", "test"]


def test_crops_are_told_by_their_names_at_any_depth():
    assert find_layout(source("UTKFace/part1/" + CROP, "README")) is Layout.CROPS


def test_a_missing_split_folder_is_named():
    with pytest.raises(DatasetError, match="has test, training_set but lacks validation_set, validation, valid or val"):
        find_layout(source("training_set/030_1.jpg", "test/030_1.jpg"))


def test_two_folders_of_one_split_are_refused():
    with pytest.raises(DatasetError, match="two training folders, Train and training_set"):
        find_layout(source("Train/030_1.jpg", "training_set/030_1.jpg", "val/030_1.jpg", "test/030_1.jpg"))


def test_split_folders_in_several_places_are_refused():
    with pytest.raises(DatasetError, match="split folders in several places"):
        find_layout(source("a/train/030_1.jpg", "b/val/030_1.jpg", "b/test/030_1.jpg"))


def test_names_of_neither_layout_are_refused():
    with pytest.raises(
        DatasetError, match=r"holds neither the folders training_set, training or train; .* or test nor"
    ):
        find_layout(source("cat.jpg", "cats/cat.jpg"))


@pytest.mark.parametrize("name", ["030_1.png", "25/cat.jpg", "30_0_0_20170109150557335.jpg", "a/7/8.webp"])
def test_one_age_in_a_name_or_a_folders_is_enough_to_read_what_can_be_read(name):
    assert find_layout(source(name, "cats/cat.jpg")) is Layout.CROPS


def test_a_file_that_is_no_image_makes_no_layout():
    with pytest.raises(DatasetError, match=r"list them in a table of path,value, and pass that$"):
        find_layout(source("25/notes.txt"))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Kind.FOLDER, "; if a table lists the images, pass it: parts/sub/Labels.CSV$"),
        (Kind.TAR, "; if a table lists the images, unpack the archive and pass the table: sub/Labels.CSV$"),
    ],
)
def test_a_table_in_a_source_of_neither_layout_is_pointed_out(kind, said):
    with pytest.raises(DatasetError, match=said):
        find_layout(Source(Path("parts"), kind, ("sub/Labels.CSV", "sub/a.png"), Limits()))


@pytest.mark.parametrize(
    ("name", "age"),
    [
        ("14_0_0_2017011022340900.jpg.chip.jpg", 14),  # a timestamp of 16 digits
        ("24_0_1_20170116220224657 .jpg.chip.jpg", 24),  # a space
        ("28_1_2_201701161846515488.jpg.chip.jpg", 28),  # a timestamp of 18 digits
        ("38_0_1_201701162330572788.jpg.chip.jpg", 38),
        ("39_1_20170116174525125.jpg.chip.jpg", 39),  # no race; 39 can be nothing but the age
        ("55_0_0_20170116232725357jpg.chip.jpg", 55),  # no dot
        ("61_1_20170109142408075.jpg.chip.jpg", 61),
        ("61_1_20170109150557335.jpg.chip.jpg", 61),
    ],
)
def test_the_eight_oddly_named_files_are_read_as_crops(name, age):
    assert parse_name(name) == age


@pytest.mark.parametrize(
    "name",
    [
        "1_1_20170109150557335.jpg.chip.jpg",  # age missing, or race missing?
        "0_3_20170109150557335.jpg.chip.jpg",
        "1__0_20170109150557335.jpg.chip.jpg",
        "1_20170109150557335.jpg.chip.jpg",
        "_1_0_20170109150557335.jpg.chip.jpg",
        "20170109150557335.jpg.chip.jpg",
        "30_2_0_20170109150557335.jpg.chip.jpg",  # no such gender
        "30_0_5_20170109150557335.jpg.chip.jpg",  # no such race
        "30_7_20170109150557335.jpg.chip.jpg",
        "30_0_0_0_20170109150557335.jpg.chip.jpg",
        "30_0_0_20170109150557335",
        "1_1_20170109150557335.jpg",
        "30_2_0_20170109150557335.jpg",
        "1234_20170109150557335.jpg",
        "-5_20170109150557335.jpg",
        "30_.jpg",
        "30.jpg",
        "30_20170109150557335.txt",
        "٣٠_20170109150557335.jpg",
        "30_20170109150557335.jpg\n",
        "README.txt",
        "",
    ],
)
def test_a_name_that_leaves_the_age_in_doubt_is_refused(name):
    with pytest.raises(DatasetError, match="name"):
        parse_name(name)


def test_an_empty_field_is_read_where_the_age_is_beyond_doubt():
    assert parse_name("53__0_20170116184028385.jpg.chip.jpg") == 53


@given(st.integers(0, 999), st.integers(0, 10**17), st.sampled_from(("jpg", "JPG", "jpeg", "png", "webp")))
def test_a_course_name_gives_its_age(age, time, ending):
    assert parse_name(f"{age:03d}_{time}.{ending}") == age


@given(st.integers(0, 999), st.integers(0, 1), st.integers(0, 4), st.integers(10**16, 10**17 - 1))
def test_utkfaces_name_gives_its_age_for_a_crop_and_in_the_wild(age, gender, race, time):
    for ending in ("jpg.chip.jpg", "jpg", "png"):
        assert parse_name(f"{age}_{gender}_{race}_{time}.{ending}") == age


@given(st.text(alphabet="0123456789_. jpgchi", max_size=40))
def test_any_text_is_read_as_its_first_number_or_refused(name):
    try:
        age = parse_name(name)
    except DatasetError:
        return
    assert age == int(name.split("_")[0])
