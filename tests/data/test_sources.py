import os

import pytest

from data.errors import DatasetError
from data.layout import find_layout
from data.members import Limits
from data.sources import list_folder, open_source

LITTER = {"__MACOSX/a.jpg": b"", "faces/.DS_Store": b"", "faces/._a.jpg": b""}


def read_all(source):
    return {member.name[len(source.prefix) :]: member.content for member in source.read()}


def test_folder_zip_and_tar_hold_the_same_files(make, tmp_path):
    files = make.course()
    sources = [
        open_source(make.folder(tmp_path / "folder", files | LITTER)),
        open_source(make.folder(tmp_path / "folder", {}) / "faces"),
        open_source(make.zip(tmp_path / "a.zip", files | LITTER)),
        open_source(make.tar(tmp_path / "a.tar", files | LITTER)),
        open_source(make.tar(tmp_path / "a.tar.gz", dict(reversed(files.items())))),
    ]
    expected = {name.removeprefix("faces/"): content for name, content in files.items()}
    assert all(read_all(source) == expected for source in sources)
    assert all(list(source.names) == sorted(source.names) for source in sources)


def test_what_an_archive_is_depends_on_its_bytes_not_its_name(make, tmp_path):
    make.zip(tmp_path / "a.zip", make.course()).rename(tmp_path / "a.data")
    assert len(open_source(tmp_path / "a.data").names) == 10


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere.zip does not exist; give a folder, .*, a .csv, or synthetic$"):
        open_source(tmp_path / "nowhere.zip")


@pytest.mark.parametrize("content", [b"", b"hello", bytes(2000)])
def test_a_file_that_is_no_archive_is_named(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(
        DatasetError, match=r"a.zip is neither a folder nor a .zip, .tar or .tar.gz archive, nor .* .csv"
    ):
        open_source(tmp_path / "a.zip")


def test_what_is_neither_folder_nor_file_is_named_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        DatasetError, match=rf"^{tmp_path}/pipe is neither a folder nor a file; give a folder, .* \.csv"
    ):
        open_source(tmp_path / "pipe")


def test_a_zip_that_is_cut_short_is_named(make, tmp_path):
    path = make.zip(tmp_path / "a.zip", make.course())
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DatasetError, match=r"a.zip is damaged or cut short"):
        open_source(path)


def test_an_empty_source_is_named(make, tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", make.zip(tmp_path / "a.zip", {}), make.tar(tmp_path / "a.tar.gz", {})):
        with pytest.raises(DatasetError, match="holds no files"):
            find_layout(open_source(path))


def test_a_folder_may_hold_only_so_many_files_but_any_number_of_bytes(make, tmp_path):
    files = {"a.jpg": b"12345", "b.jpg": b"12345"}
    root = make.folder(tmp_path / "folder", files)
    with pytest.raises(DatasetError, match="holds more than 1 files, the limit on their number"):
        open_source(root, Limits(members=1))
    assert read_all(open_source(root, Limits(total_bytes=9))) == files


def test_no_more_of_a_folders_file_is_read_than_tells_that_it_is_too_large(make, tmp_path):
    root = make.folder(tmp_path / "folder", {"a.jpg": b"1234567", "b.jpg": b"1234"})
    assert read_all(open_source(root, Limits(file_bytes=4))) == {"a.jpg": b"12345", "b.jpg": b"1234"}


LEADS_OUT = "pass --follow-links to read what links lead to"


def listed(root, follow_links=False, members=200):
    found = list_folder(root, Limits(members), follow_links=follow_links)
    return list(found.names), {one.name: one.reason for one in found.rejected}


def test_a_link_inside_a_folder_is_read_and_one_out_of_it_only_if_wished(make, tmp_path):
    root = make.folder(tmp_path / "folder", {"a.jpg": b"a"})
    make.folder(tmp_path / "cache", {"sub/d.jpg": b"d"})
    (root / "b.jpg").symlink_to("a.jpg")
    (root / "c.jpg").symlink_to("../cache/sub/d.jpg")
    (root / "more").symlink_to("../cache/sub")
    assert listed(root) == (
        ["a.jpg", "b.jpg"],
        {
            "c.jpg": f"it is a link that leads out of {root}; {LEADS_OUT}",
            "more": f"it is a link to another folder; {LEADS_OUT}",
        },
    )
    assert listed(root, follow_links=True) == (["a.jpg", "b.jpg", "c.jpg", "more/d.jpg"], {})


def test_links_that_lead_in_a_circle_nowhere_or_to_no_file_are_rejected_one_by_one(make, tmp_path):
    root = make.folder(tmp_path / "folder", {"a.jpg": b"a", "sub/b.jpg": b"b"})
    (root / "sub/up").symlink_to("..")
    (root / "gone.jpg").symlink_to("nothing")
    (root / "itself.jpg").symlink_to("itself.jpg")
    os.mkfifo(root / "pipe.jpg")
    names, rejected = listed(root, follow_links=True)
    assert names == ["a.jpg", "sub/b.jpg"]
    assert rejected == {
        "gone.jpg": "it cannot be read: No such file or directory",
        "itself.jpg": "it cannot be read: Too many levels of symbolic links",
        "pipe.jpg": "it is not a plain file",
        "sub/up": "it is a link to a folder that it lies in",
    }


def test_folders_that_links_multiply_come_to_an_end(make, tmp_path):
    make.folder(tmp_path, {"0/a.jpg": b""})
    for depth in range(1, 12):
        (tmp_path / str(depth)).mkdir()
        for link in "ab":
            (tmp_path / str(depth) / link).symlink_to(f"../{depth - 1}")
    with pytest.raises(DatasetError, match="files and folders, the limit on their number"):
        listed(tmp_path / "11", follow_links=True, members=1000)


@pytest.mark.parametrize("name", ["a\\b.jpg", "K\udcf6ln.jpg", "a\rb.jpg"])
def test_a_file_with_an_odd_name_is_rejected_and_the_others_are_read(make, tmp_path, name):
    names, rejected = listed(
        make.folder(tmp_path / "folder", {"a.jpg": b"a", name: b"b", "Icon\r": b"", "THUMBS.DB": b""})
    )
    assert names == ["a.jpg"]
    assert list(rejected) == [ascii(name)]
