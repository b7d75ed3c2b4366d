import os
from pathlib import Path

import pytest

from search.storage.mounts import NETWORK_FILE_SYSTEMS, file_system_of

MOUNTS = rb"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home rw - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/me/with\040space rw shared:7 master:1 - tmpfs tmpfs rw
32 22 0:42 / /mnt rw - cifs //server/share rw
33 22 0:43 / /mnt rw - xfs /dev/vdb rw
"""


def test_the_innermost_mount_decides():
    assert file_system_of(Path("/home/me/study.db"), MOUNTS) == "nfs4"
    assert file_system_of(Path("/home/me/with space/study.db"), MOUNTS) == "tmpfs"
    assert file_system_of(Path("/homes/study.db"), MOUNTS) == "ext4"


def test_of_two_mounts_on_one_point_the_later_decides():
    assert file_system_of(Path("/mnt/study.db"), MOUNTS) == "xfs"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (rb"K\303\244se", "Käse".encode()),
        ("Käse".encode(), "Käse".encode()),
        (b"K\xe4se", b"K\xe4se"),
        (rb"K\344\040se", b"K\xe4 se"),
        (b"one\x85\r\xc2\xa0two", b"one\x85\r\xc2\xa0two"),
    ],
)
def test_a_mount_may_have_any_name_however_it_is_written(written, name):
    mounts = MOUNTS + b"34 22 0:44 / /" + written + b" rw - xfs /dev/vdc rw\n"
    assert file_system_of(Path(os.fsdecode(b"/" + name + b"/study.db")), mounts) == "xfs"
    assert file_system_of(Path("/homes/study.db"), mounts) == "ext4"


def test_a_path_is_taken_as_it_is_after_links(tmp_path):
    (tmp_path / "link").symlink_to("/home/me")
    assert file_system_of(tmp_path / "link" / "study.db", MOUNTS) == "nfs4"


def test_this_directory_lies_on_some_file_system(tmp_path):
    assert file_system_of(tmp_path / "not" / "there" / "yet") not in NETWORK_FILE_SYSTEMS


def test_the_mounts_of_this_machine_may_have_names_that_are_not_utf_8(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda _path: MOUNTS + b"34 22 0:44 / /\xff rw - xfs /dev/vdc rw\n")
    assert file_system_of(tmp_path / "study.db") == "ext4"
