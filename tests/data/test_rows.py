import pytest

from data.errors import DatasetError
from data.members import Limits
from data.rows import read_rows


@pytest.fixture
def rows_of(tmp_path):
    """Write a table and read its rows."""

    def read(text, *names):
        (tmp_path / "labels.csv").write_text(text)
        return read_rows(tmp_path / "labels.csv", Limits(), *names)

    return read


def test_columns_may_have_names_of_their_own(rows_of):
    rows = rows_of("File,AGE,value,set\na.png,3,7,train\n", ("file", "age", "set")).rows
    assert [(row.path, row.value, row.split) for row in rows] == [("a.png", 3, "training")]


def test_columns_of_other_names_are_refused_with_the_flag_that_says_them(rows_of):
    with pytest.raises(DatasetError, match=r"columns path and value, .* as in --columns file=path,age=value$"):
        rows_of("file,age\na.png,3\n")
    with pytest.raises(DatasetError, match="columns file and years, and may name split"):
        rows_of("file,age\na.png,3\n", ("file", "years", "split"))


def test_backslashes_divide_folders(rows_of):
    listing = rows_of("path,value\na\\b\\c.png,1\na/b/c.png,1\n..\\d.png,1\n")
    assert [row.path for row in listing.rows] == ["a/b/c.png"]
    assert [str(one) for one in listing.rejected] == [
        "'..\\\\d.png': row 4 names no plain path inside the table's folder",
        "a/b/c.png: row 3 lists it again, as row 2 does",
    ]


@pytest.mark.parametrize("url", ["https://a.org/b.png", "S3://bucket/b.png", "file:///b.png", "ftp:/b.png"])
def test_a_url_is_no_path_and_the_row_says_what_to_do(rows_of, url):
    assert "but a URL; download the images, and list the files" in rows_of(f"path,value\n{url},1\n").rejected[0].reason
