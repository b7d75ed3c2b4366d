from pathlib import Path

from search.storage.mounts import NETWORK_FILE_SYSTEMS, file_system_of

MOUNTS = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
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


def test_a_path_is_taken_as_it_is_after_links(tmp_path):
    (tmp_path / "link").symlink_to("/home/me")
    assert file_system_of(tmp_path / "link" / "study.db", MOUNTS) == "nfs4"


def test_this_directory_lies_on_some_file_system(tmp_path):
    assert file_system_of(tmp_path / "not" / "there" / "yet") not in NETWORK_FILE_SYSTEMS
