import os

import pytest

from data.errors import DatasetError
from data.folders import list_folder
from data.members import Limits

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
