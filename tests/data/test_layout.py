from pathlib import Path

import pytest

from data.errors import DatasetError
from data.layout import Layout, find_layout, split_of
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
