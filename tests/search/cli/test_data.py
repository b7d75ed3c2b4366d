import json

import pytest
from PIL import Image

from data.dataset import inspect_dataset


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures in the course layout: six, four and three of them."""
    for split, count in (("training_set", 6), ("validation_set", 4), ("test_set", 3)):
        (tmp_path / "pictures" / split).mkdir(parents=True)
        for number in range(count):
            name = f"{20 + number:03d}_2016{len(split)}{number:010d}.jpg"
            Image.new("L", (12, 12), 10 * number).save(tmp_path / "pictures" / split / name)
    return tmp_path / "pictures"


def test_faces_are_drawn_into_a_dataset(agesearch, tmp_path):
    arguments = ("data", "build", "synthetic", "--out", "new/faces.h5", "--images", "5,3,2", "--ages", "20:40")
    ended = agesearch(*arguments, "--size", "32", "--seed", "4")
    assert (ended.code, ended.err) == (0, "")
    info = inspect_dataset(tmp_path / "new/faces.h5")
    first, *_, last = ended.out.splitlines()
    assert first == "new/faces.h5: 5 training, 3 validation, 2 test; synthetic, 32×32×1"
    assert last == f"digest {info.digest}"
    assert info.image_shape == (32, 32, 1)
    assert {"min_age": 20, "max_age": 40, "seed": 4}.items() <= json.loads(info.options).items()


def test_a_table_of_pictures_becomes_a_dataset_without_a_unit_unless_one_is_given(agesearch, pictures, tmp_path):
    rows = [f"{path.relative_to(pictures)},{place / 2}" for place, path in enumerate(sorted(pictures.rglob("*.jpg")))]
    (pictures / "labels.csv").write_text("\n".join(["path,value", *rows]))
    build = ("data", "build", pictures / "labels.csv", "--size", "12x16", "--channels", "3")
    ended = agesearch(*build, "--out", "plain.h5")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[0].endswith("; table, 12×16×3")
    assert inspect_dataset(tmp_path / "plain.h5").unit == ""
    agesearch(*build, "--out", "mm.h5", "--unit", "mm")
    assert inspect_dataset(tmp_path / "mm.h5").unit == "mm"


@pytest.mark.parametrize("size", ["0", "12x", "wide", "7x8x9"])
def test_a_size_that_is_none_is_refused(size, refused, pictures):
    assert "size" in refused("data", "build", pictures, "--out", "faces.h5", "--size", size)


def test_the_report_of_a_build_is_json_where_that_is_asked_for(agesearch, pictures):
    ended = agesearch("data", "build", pictures, "--out", "faces.h5", "--size", "12", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["counts"] == {"training": 6, "validation": 4, "test": 3}


def test_identical_pictures_are_counted_and_different_labels_of_them_warned_of(agesearch, tmp_path):
    for number in range(12):
        Image.new("L", (12, 12), 10 * max(number, 1)).save(tmp_path / f"{number:02d}.png")
    build = ("data", "build", "labels.csv", "--out", "parts.h5", "--size", "12")
    told = "group of byte-identical images"
    for first, warned in (
        (1, ""),
        (7, f"warning: 1 {told} with different labels, such as 00.png (7) and 01.png (1)\n"),
    ):
        rows = [f"{number:02d}.png,{number or first}\n" for number in range(12)]
        (tmp_path / "labels.csv").write_text("path,value\n" + "".join(rows))
        ended = agesearch(*build)
        assert (ended.code, ended.err) == (0, warned)
        assert ended.out.splitlines()[1] == f"1 {told}"
    report = json.loads(agesearch(*build, "--json").out)
    assert (report["duplicates"], report["contradicting"]) == (1, 1)


def test_identical_pictures_in_several_splits_are_counted(agesearch, pictures):
    ended = agesearch("data", "build", pictures, "--out", "faces.h5", "--size", "12")
    said = "4 groups of byte-identical images, 4 of them in more than one split, as the source has them"
    assert ended.out.splitlines()[1] == said


def test_a_bad_picture_fails_the_build_unless_it_may_be_left_out(agesearch, refused, pictures, tmp_path):
    (pictures / "test_set" / "099_1.jpg").write_text("no picture")
    build = ("data", "build", pictures, "--out", "faces.h5", "--size", "12")
    assert "099_1.jpg" in refused(*build)
    assert not (tmp_path / "faces.h5").exists()
    ended = agesearch(*build, "--skip-bad")
    assert ended.code == 0
    assert ended.out.splitlines()[0].startswith("left out ")
    assert "099_1.jpg" in ended.out.splitlines()[0]


def test_bad_pictures_are_printed_line_by_line_above_the_sentence_that_counts_them(agesearch, pictures, tmp_path):
    build = ("data", "build", pictures, "--out", "faces.h5", "--size", "12")
    for count, more in ((2, []), (25, ["and 5 more"])):
        for number in range(count):
            (pictures / "test_set" / f"030_{number:02d}.jpg").touch()
        ended = agesearch(*build)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.splitlines() == [
            *(f"test_set/030_{number:02d}.jpg: it is empty" for number in range(min(count, 20))),
            *more,
            f"agesearch: {count} files of {pictures} cannot be used, repair them or pass --skip-bad",
        ]
    assert not (tmp_path / "faces.h5").exists()


@pytest.mark.parametrize("size", ["12x16", "12X16"])
def test_a_size_is_height_and_width_in_either_case(size, agesearch, pictures, tmp_path):
    assert agesearch("data", "build", pictures, "--out", "faces.h5", "--size", size).code == 0
    assert inspect_dataset(tmp_path / "faces.h5").image_shape == (12, 16, 1)


def test_statistics_are_printed_and_drawn(agesearch, faces, tmp_path):
    ended = agesearch("data", "stats", faces, "--figure", "ages.png")
    assert ended.code == 0
    assert "training" in ended.out
    assert ended.out.splitlines()[-1] == "histograms: ages.png"
    assert (tmp_path / "ages.png").read_bytes().startswith(b"\x89PNG")


def test_statistics_are_json_where_that_is_asked_for(agesearch, faces):
    assert json.loads(agesearch("data", "stats", faces, "--json").out)


def test_a_dataset_that_differs_from_its_source_is_exit_code_1(agesearch, pictures):
    agesearch("data", "build", pictures, "--out", "faces.h5", "--size", "12")
    ended = agesearch("data", "verify", "faces.h5", pictures)
    assert (ended.code, ended.out) == (0, "13 images compared, 0 differences\n")
    changed = next((pictures / "test_set").iterdir())
    Image.new("L", (12, 12), 200).save(changed)
    ended = agesearch("data", "verify", "faces.h5", pictures)
    assert ended.code == 1
    assert changed.name in ended.out
    assert ended.out.splitlines()[1:] == [
        f"{pictures} is not, file for file, what faces.h5 was built from",
        "13 images compared, 1 difference",
    ]
    report = agesearch("data", "verify", "faces.h5", pictures, "--json")
    assert report.code == 1
    assert json.loads(report.out)


def test_the_differences_that_are_not_listed_are_counted(agesearch, pictures):
    for number in range(30):
        Image.new("L", (12, 12), number).save(pictures / "test_set" / f"030_{number}.png")
    agesearch("data", "build", pictures, "--out", "faces.h5", "--size", "12")
    for file in pictures.rglob("*.*"):
        file.unlink()
    ended = agesearch("data", "verify", "faces.h5", pictures)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.splitlines()[20:] == [
        "and 23 more",
        f"{pictures} is not, file for file, what faces.h5 was built from",
        "0 images compared, 43 differences",
    ]


def test_loading_times_are_printed_beside_the_papers(agesearch, pictures):
    agesearch("data", "build", pictures, "--out", "faces.h5", "--size", "12")
    ended = agesearch("data", "bench", "faces.h5", pictures)
    assert ended.code == 0
    assert "(the paper: 13.473 s)" in ended.out
    assert "(the paper: 8.1)" in ended.out
    assert json.loads(agesearch("data", "bench", "faces.h5", pictures, "--json").out)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (1e5, ""),
        (1e-3, ""),
        (0, "the labels of the training images are all the same, so there is nothing to learn"),
        (1, ""),
    ],
)
def test_labels_from_which_there_is_nothing_to_learn_are_pointed_out_and_no_unit_is(step, said, agesearch, tmp_path):
    for seed in range(12):
        Image.new("L", (91, 91), seed).save(tmp_path / f"{seed}.png")
    rows = "".join(f"{seed}.png,{seed * step}\n" for seed in range(12))
    (tmp_path / "prices.csv").write_text("path,value\n" + rows)
    ended = agesearch("data", "build", "prices.csv", "--out", "prices.h5", "--unit", "cents")
    assert ended.code == 0
    assert said in ended.err
    assert bool(said) == bool(ended.err)


def test_a_table_with_columns_of_its_own_is_read_through_a_link_if_that_is_wished(agesearch, refused, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "source").mkdir()
    for number in range(12):
        Image.new("L", (12, 12), 10 * number).save(tmp_path / f"cache/{number}.webp")
        (tmp_path / f"source/{number}.webp").symlink_to(f"../cache/{number}.webp")
    rows = "".join(f"{number}.webp,{number}\n" for number in range(12))
    (tmp_path / "source/faces.csv").write_text("file,age\n" + rows)
    build = ("data", "build", "source/faces.csv", "--out", "faces.h5", "--size", "12")
    assert "--columns file=path,age=value" in refused(*build)
    build = (*build, "--columns", "file=path,age=value")
    assert "leads out of source; pass --follow-links" in agesearch(*build).err
    assert agesearch(*build, "--follow-links").code == 0
    assert agesearch("data", "verify", "faces.h5", "source/faces.csv").out == "12 images compared, 0 differences\n"
    assert agesearch("data", "bench", "faces.h5", "source/faces.csv").code == 0


@pytest.mark.parametrize("typed", ["age", "age=label", "a=value,b=value", "=value", "a=value,"])
def test_columns_of_another_form_are_refused(typed, refused):
    said = refused("data", "build", "x.csv", "--out", "faces.h5", "--columns", typed)
    assert f"--columns {typed} is not of the form" in said


def test_columns_of_what_is_no_table_are_refused(refused, pictures):
    said = refused("data", "build", pictures, "--out", "faces.h5", "--columns", "age=value")
    assert "is no .csv" in said
