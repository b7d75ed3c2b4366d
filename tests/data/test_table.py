import io
import re
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from data.benchmark import time_loading
from data.build import build_dataset
from data.dataset import inspect_dataset, read_split
from data.errors import DatasetError, RejectedFilesError
from data.members import Limits
from data.options import BuildOptions
from data.rows import read_rows
from data.verify import verify_dataset

OPTIONS = BuildOptions(image_size=(8, 10), channels=3, unit="mm")


def png(seed, size=(10, 8)):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue(), pixels


@pytest.fixture
def table(tmp_path):
    """Write a table, and an image for every row; returns the table's path."""

    def write(rows, heading="path,value,split", images=True):
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        for seed, row in enumerate(rows):
            if images:
                (folder / row.partition(",")[0]).write_bytes(png(seed)[0])
        (folder / "labels.csv").write_text("\n".join([heading, *rows]) + "\n")
        return folder / "labels.csv"

    return write


@pytest.fixture
def build(tmp_path):
    def run(path, options=OPTIONS):
        return build_dataset(path, tmp_path / "out.h5", options)

    return run


SPLIT = ["c.png,-2.5,training", "a.png,1e3,train", "b.png,0,Valid", "d.png,7,test"]


def test_images_get_the_values_and_splits_of_their_rows_in_colour(table, build, tmp_path):
    report = build(table(SPLIT))
    assert (report.layout, report.image_shape) == ("table", (8, 10, 3))
    assert report.counts == {"training": 2, "validation": 1, "test": 1}
    training = read_split(tmp_path / "out.h5", "training")
    assert training.names == ("a.png", "c.png")
    assert training.labels.tolist() == [1000.0, -2.5]
    assert np.array_equal(training.images[1], png(0)[1])
    assert inspect_dataset(tmp_path / "out.h5").unit == "mm"


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("path,value,operator", "{path},{value},Ada"),
        (",path,value", "7,{path},{value}"),
        ("Value,Path", "{value},{path}"),
        ("n,split,value,n,path,note", '1,Val,{value},2,{path},"a, b"'),
    ],
)
def test_columns_have_any_order_and_those_of_other_names_are_passed_over(heading, row, tmp_path):
    lines = [row.format(path=f"{number}.png", value=number / 2) for number in range(8)]
    (tmp_path / "labels.csv").write_text("\n".join([heading, *lines]))
    listing = read_rows(tmp_path / "labels.csv", Limits())
    split = "validation" if "split" in heading else None
    assert [(row.path, row.value, row.split) for row in listing.rows] == [
        (f"{number}.png", number / 2, split) for number in range(8)
    ]


def test_spaces_before_quotes_are_passed_over_as_others_are(tmp_path):
    (tmp_path / "labels.csv").write_text('"path", "value"\n"a.png", "1.5"\n  "b, c.png", 2 \n')
    rows = read_rows(tmp_path / "labels.csv", Limits()).rows
    assert [(row.path, row.value) for row in rows] == [("a.png", 1.5), ("b, c.png", 2.0)]


@pytest.mark.parametrize(("written", "there"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_may_be_spelt_in_another_form_of_unicode_than_its_file(written, there, table, build, tmp_path):
    path = table([*SPLIT, unicodedata.normalize(written, "Käse.png") + ",1,test"])
    file = path.parent / unicodedata.normalize(written, "Käse.png")
    file.rename(path.parent / unicodedata.normalize(there, "Käse.png"))
    assert build(path).counts == {"training": 2, "validation": 1, "test": 2}
    assert read_split(tmp_path / "out.h5", "test").names[0] == file.name
    assert time_loading(tmp_path / "out.h5", path, repeats=1).images == 5


def test_of_two_files_whose_names_look_the_same_each_row_has_its_own(table, build, tmp_path):
    build(table([*SPLIT, *(unicodedata.normalize(form, "ä.png") + ",1,test" for form in ("NFC", "NFD"))]))
    images = read_split(tmp_path / "out.h5", "test").images
    assert not np.array_equal(images[1], images[2])


def test_gray_is_what_one_channel_holds(table, build, tmp_path):
    build(table(SPLIT), BuildOptions(image_size=(8, 10)))
    images = read_split(tmp_path / "out.h5", "training").images
    assert images.shape == (2, 8, 10, 1)
    assert np.array_equal(images[1, :, :, 0], np.asarray(Image.fromarray(png(0)[1]).convert("L")))


def test_the_dataset_is_verified_against_its_table(table, build, tmp_path):
    path = table(SPLIT)
    build(path)
    assert verify_dataset(tmp_path / "out.h5", path).lossless
    path.write_text(path.read_text().replace("-2.5", "-2.25"))
    report = verify_dataset(tmp_path / "out.h5", path)
    assert report.differences == ("training: c.png has the label -2.5, the source says -2.25",)
    assert not report.source_matches


def test_without_splits_the_images_are_divided_alike_at_every_value(table, build, tmp_path):
    report = build(table([f"{number}.png,{number / 7}" for number in range(100)], "path,value"))
    assert report.counts == {"training": 61, "validation": 26, "test": 13}
    spans = [np.ptp(read_split(tmp_path / "out.h5", name).labels) for name in report.counts]
    assert min(spans) > 0.8 * 99 / 7


def test_rows_that_cannot_be_used_are_listed_or_left_out(table, build, tmp_path):
    path = table(SPLIT)
    (path.parent / "b2.png").write_text("no image")
    (tmp_path / "outside.png").write_bytes(png(9)[0])
    (path.parent / "link.png").symlink_to(tmp_path / "outside.png")
    path.write_text(path.read_text() + "b2.png,1,val\nmissing.png,1,val\nlink.png,1,val\n")
    with pytest.raises(RejectedFilesError) as refused:
        build(path)
    assert [(one.name, re.split(" that|,", one.reason)[0]) for one in refused.value.rejected] == [
        ("b2.png", "it is not a JPEG or PNG image"),
        ("link.png", "it is a link"),
        ("missing.png", "there is no such file"),
    ]
    report = build(path, BuildOptions(image_size=(8, 10), skip_bad=True))
    assert report.counts == {"training": 2, "validation": 1, "test": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "begins with ''; its first row must name the columns path and value, and may name split, each of them"),
        (b"file,Age\n", "begins with 'file,Age'; its first row must name the columns path and value"),
        (b"path,split\n", "begins with 'path,split'; its first row must name"),
        (b"path,value,Path\n", "begins with 'path,value,Path'; its first row must name"),
        (b"path,value,value\n", "begins with 'path,value,value'; its first row must name"),
        (b"path,value,split,split\n", "begins with 'path,value,split,split'; its first row must name"),
        (b"n,value,path\n1,2\n", "1: row 2 has 2 columns, not 3"),
        (b"value,path\n2,../a.png\n", "'../a.png': row 2 names no plain path"),
        (b"path,value\na.png,12_5\n", "row 2 has the value '12_5'; it must be a number"),
        (b"path,value\na.png,old\n", "row 2 has the value 'old'; it must be a number"),
        (b"path,value\na.png,\n", "row 2 has the value ''; it must be a number"),
        (b"path,value\na.png,nan\n", "row 2 has the value 'nan'"),
        (b"path,value\na.png,1e40\n", "row 2 has the value '1e40'"),
        (
            b"path,value,split\na.png,1,holdout\n",
            "row 2 has the split 'holdout'; known are training_set, training or train; val",
        ),
        (b"path,value\na.png,1\n./a.png,1\n", "a.png: row 3 lists it again, as row 2 does"),
        (b"path,value\n../a.png,1\n", "row 2 names no plain path inside the table's folder$"),
        (
            b"path,value\n/etc/passwd,1\n",
            "'/etc/passwd': row 2 names no plain path inside the table's folder; write it relative to that folder",
        ),
        (b"path,value\nC:\\a.png,1\n", "inside the table's folder; write it relative to that folder"),
        (b"path,value\n\\\\nas\\a.png,1\n", "inside the table's folder; write it relative to that folder"),
        (b"path,value\na\\b.png,1\n", "a/b.png: there is no such file"),
        (b"path,value\nHTTPS://a.b/c.png,1\n", "row 2 names .*, but a URL; download the images, and list the files"),
        (b"path,value\n,1\n", "'': row 2 names no plain path"),
        (b"path,value\n\xff\n", "is not text in UTF-8; save it as UTF-8$"),
        ("path,value\nKäse.png,1\n".encode("latin-1"), "is not text in UTF-8; save it as UTF-8$"),
        ("path,value\na.png,1\n".encode("utf-16"), "is not text in UTF-8; save it as UTF-8$"),
        ("path,value\na.png,1\n".encode("utf-16-le"), "is not text in UTF-8; save it as UTF-8$"),
        (b"\npath;value\na.png;1,5\n", "begins with 'path;value'; save it with commas between its columns$"),
        (b'"path";"value"\r\na.png;1,5\r\n', """begins with '"path";"value"'; save it with commas between"""),
        (b"path\tvalue\na.png\t1\n", r"begins with 'path\\tvalue'; save it with commas between its columns$"),
        (b"sep=;\npath;value\n", "begins with 'sep=;'; save it with commas between its columns$"),
        (
            b'path,value\na.png,"1,5"\n',
            r"has the value '1,5'; it must be a number below .* in size, with a decimal point in place of the comma$",
        ),
        (b"path,value\na.png,1,5\n", "has 3 columns, not 2; put a text that .*, and write decimals with a point$"),
        (b'path,value\n"a.png,1\n', "is not a table of comma-separated values"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_row(content, said, tmp_path, build):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        build(path)
    assert not (tmp_path / "out.h5").exists()


def test_every_row_that_cannot_be_used_is_listed_at_once_with_its_number_or_left_out(table, build):
    path = table(SPLIT)
    rows = ["e.png,,val", "f.png,n/a,val", "..\\g.png,1,val", "h.png,1,holdout", "c.png,-2.5,train", "i.png,1,val"]
    path.write_text("\n".join([path.read_text().rstrip(), *rows]))
    expected = {
        "e.png": "row 6 has the value ''; it must be a number below 1e+18 in size",
        "f.png": "row 7 has the value 'n/a'; it must be a number below 1e+18 in size",
        "'..\\\\g.png'": "row 8 names no plain path inside the table's folder",
        "h.png": "row 9 has the split 'holdout'; known are training_set, training or train; "
        "validation_set, validation, valid or val; test_set or test",
        "c.png": "row 10 lists it again, as row 2 does",
        "i.png": "there is no such file",
    }
    with pytest.raises(RejectedFilesError) as refused:
        build(path)
    assert {one.name: one.reason for one in refused.value.rejected} == expected
    report = build(path, replace(OPTIONS, skip_bad=True))
    assert report.rejected == refused.value.rejected
    assert report.counts == {"training": 2, "validation": 1, "test": 1}


def test_rows_that_contradict_each_other_are_all_left_out(table, build, tmp_path):
    path = table([*SPLIT, "e.png,1,train"])
    path.write_text(path.read_text() + "e.png,2,train\n")
    report = build(path, replace(OPTIONS, skip_bad=True))
    assert [str(one) for one in report.rejected] == ["e.png: rows 6, 7 list it with different values or splits"]
    assert read_split(tmp_path / "out.h5", "training").names == ("a.png", "c.png")


def test_values_of_identical_images_that_are_stored_as_one_do_not_contradict_each_other(table, build):
    path = table([*SPLIT, "e.png,0.3,test", "f.png,0.30000000000000004,test"])
    (path.parent / "f.png").write_bytes((path.parent / "e.png").read_bytes())
    report = build(path)
    assert (report.duplicates, report.contradicting, report.contradiction) == (1, 0, "")


def test_a_split_that_no_row_is_of_is_named_before_an_image_is_read(table, build):
    path = table(SPLIT[:3], images=False)
    with pytest.raises(DatasetError, match=r"labels\.csv: the column split names no row as test$"):
        build(path)
    with pytest.raises(DatasetError, match=r"the column split names no row as training or validation$"):
        build(table(SPLIT[3:], images=False))
    path = table([*SPLIT[:3], "d.png,old,test"])
    said = (
        r"no usable image is left for test; give more images; 1 was left out, the first of them d\.png: row 5 has the"
    )
    with pytest.raises(DatasetError, match=said):
        build(path, replace(OPTIONS, skip_bad=True))


def test_more_rows_than_a_source_may_have_files_are_refused(table, build, tmp_path):
    with pytest.raises(DatasetError, match="holds more than 3 files"):
        build(table(SPLIT), replace(OPTIONS, limits=Limits(members=3), skip_bad=True))
    assert not (tmp_path / "out.h5").exists()


def test_nothing_is_read_beyond_the_last_row_that_a_source_may_have(table):
    path = table([*SPLIT, '"open'], images=False)
    with pytest.raises(DatasetError, match="holds more than 3 files"):
        read_rows(path, Limits(members=3))
    with pytest.raises(DatasetError, match="is not a table of comma-separated values"):
        read_rows(path, Limits(members=5))


def test_a_row_whose_file_is_too_large_is_listed_or_left_out(table, build):
    path = table([*SPLIT, "e.png,1,test"])
    (path.parent / "e.png").write_bytes(png(4)[0] + bytes(2000))
    options = replace(OPTIONS, limits=Limits(file_bytes=2000))
    with pytest.raises(RejectedFilesError, match=r"e\.png: it is larger than 2000 bytes, the limit for one file"):
        build(path, options)
    assert sum(build(path, replace(options, skip_bad=True)).counts.values()) == 4


def test_a_table_may_list_any_number_of_bytes(table, build):
    assert sum(build(table(SPLIT), replace(OPTIONS, limits=Limits(total_bytes=1))).counts.values()) == 4


def test_too_large_a_table_is_refused(table, build):
    with pytest.raises(DatasetError, match="is larger than 20 bytes"):
        build(table(SPLIT), BuildOptions(limits=Limits(file_bytes=20)))


def test_drawn_faces_have_no_colour(build):
    with pytest.raises(DatasetError, match="synthetic faces are gray"):
        build("synthetic", BuildOptions(channels=3))


def test_a_row_that_names_a_link_to_itself_is_rejected_with_the_reason(table, build):
    path = table([*SPLIT, "e.png,1,test"])
    (path.parent / "e.png").unlink()
    (path.parent / "e.png").symlink_to("e.png")
    with pytest.raises(RejectedFilesError, match=r"e\.png.*(in a circle|no such file)"):
        build(path)


def test_rows_are_numbered_as_an_editor_numbers_lines(table, build):
    path = table(["a.png,1"], "path,value")
    path.write_text("path,value\n\n\na.png,1\nb.png,old\n")
    with pytest.raises(DatasetError, match="row 5 has the value 'old'"):
        build(path)


def test_a_path_is_not_cut_where_a_table_has_no_end_of_a_line(table, build):
    with pytest.raises(DatasetError, match=r"'a\\u2028b.png': row 2 names no plain path"):
        build(table(["a\u2028b.png,1"], "path,value", images=False))


def test_a_value_whose_square_is_too_much_for_float32_is_refused(table, build):
    with pytest.raises(DatasetError, match=r"row 2 has the value '1e22'; it must be a number below 1e\+18 in size"):
        build(table(["a.png,1e22"], "path,value"))


def test_rows_with_another_number_of_columns_are_listed_with_the_others(table, build):
    rows = ["a.png,1", "Smith, J.png,2", "c.png", "  , ", "d.png,x"]
    said = r"row 3 has 3 columns, not 2; put a text .*row 4 has 1 column, not 2.*row 6 has the value 'x'"
    with pytest.raises(RejectedFilesError) as refusal:
        build(table(rows, "path,value", images=False))
    reasons = "; ".join(sorted(each.reason for each in refusal.value.rejected))
    assert re.search(said, reasons)


def test_where_nothing_is_left_the_first_reason_is_told(table, build):
    said = r"no usable image is left for .*; 2 were left out, the first of them .*'n/a'"
    with pytest.raises(DatasetError, match=said):
        build(table(["a.png,n/a", "b.png,n/a"], "path,value"), replace(OPTIONS, skip_bad=True))


def test_different_values_that_float32_would_merge_are_refused(table, build):
    rows = [f"{seed}.png,{1_700_000_000 + seed}" for seed in range(120)]
    with pytest.raises(
        DatasetError,
        match=r"values 1700000000\.0 and 1700000001\.0, which are the same in float32.*"
        r"; 118 such pairs in all; subtract an offset, so that",
    ):
        build(table(rows, "path,value", images=False))


def test_two_values_of_a_small_table_that_float32_would_merge_are_refused(table, build):
    rows = ["a.png,16777214", "b.png,16777216", "c.png,16777217", "d.png,16777218", "e.png,16777220"]
    with pytest.raises(DatasetError, match=r"values 16777216\.0 and 16777217\.0, which .* 1 such pair in all"):
        build(table(rows, "path,value", images=False))


def test_values_that_differ_by_an_error_of_calculation_are_one(table, build):
    rows = ["a.png,0.3", "b.png,0.30000000000000004", *(f"{seed}.png,{seed}" for seed in range(8))]
    assert sum(build(table(rows, "path,value")).counts.values()) == 10


@pytest.mark.parametrize(("mean", "deviation"), [(0.5, 0.1), (36.6, 0.4), (1005, 10), (0, 1)])
def test_of_many_finely_measured_values_float32_may_merge_some(mean, deviation, tmp_path):
    values = np.random.default_rng(0).normal(mean, deviation, size=20_000).tolist()
    assert len(set(np.float32(values).tolist())) < 20_000
    (tmp_path / "a.csv").write_text("path,value\n" + "".join(f"{at}.png,{one!r}\n" for at, one in enumerate(values)))
    assert len(read_rows(tmp_path / "a.csv", Limits()).rows) == 20_000
