import errno
import io
import os
import stat
import tarfile
import zipfile
from unittest.mock import Mock

import pytest

from data.errors import DatasetError
from data.members import Limits
from data.sources import open_source

FILES = {f"top/{place}.jpg": bytes([place]) * 700 for place in range(1, 6)}


def read_all(path, limits=None):
    return {member.name: member.content for member in open_source(path, limits).read()}


@pytest.mark.parametrize("hostile", ["../escape.jpg", "/abs.jpg", "a\\..\\b.jpg"])
@pytest.mark.parametrize("name", ["faces.zip", "faces.tar", "faces.tar.gz"])
def test_a_name_that_leads_out_of_an_archive_is_refused(make, tmp_path, name, hostile):
    write = make.zip if name.endswith("zip") else make.tar
    write(tmp_path / name, FILES | {hostile: b"x"})
    with pytest.raises(DatasetError, match="leads out of it, so nothing of it is read"):
        read_all(tmp_path / name)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_a_bomb_whose_directory_tells_the_truth_is_refused_before_it_is_unpacked(make, tmp_path):
    path = make.zip(tmp_path / "bomb.zip", {"a.jpg": bytes(30_000_000)})
    assert path.stat().st_size < 100_000
    with pytest.raises(DatasetError, match="the limit for one file"):
        open_source(path)


def test_a_bomb_whose_directory_lies_is_stopped(make, tmp_path):
    content = make.zip(tmp_path / "bomb.zip", {"a.jpg": bytes(3_000_000)}).read_bytes()
    lying = content.replace((3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "bomb.zip").write_bytes(lying)
    with pytest.raises(DatasetError, match="damaged or cut short"):
        read_all(tmp_path / "bomb.zip")


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar", "faces.tar.gz"])
def test_limits_hold_for_every_kind_of_archive(make, tmp_path, name):
    write = make.zip if name.endswith("zip") else make.tar
    path = write(tmp_path / name, FILES)
    assert read_all(path, Limits(5, 700, 3500)) == FILES
    for limits in (Limits(members=4), Limits(file_bytes=699), Limits(total_bytes=3499)):
        with pytest.raises(DatasetError, match=r"the limit (on their number|for one file|for all its files)"):
            read_all(path, limits)


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar", "faces.tar.gz"])
def test_folders_and_litter_count_against_twice_the_limit_of_files(make, tmp_path, name):
    write = make.zip if name.endswith("zip") else make.tar
    path = write(tmp_path / name, FILES | {f"top/._{place}.jpg": b"x" for place in range(5)})
    assert read_all(path, Limits(members=5)) == FILES
    write(path, FILES | {f"top/._{place}.jpg": b"x" for place in range(6)})
    with pytest.raises(DatasetError, match=f"{name} holds more than 10 files and folders, the limit on their number"):
        read_all(path, Limits(members=5))


def test_a_tar_gz_bomb_is_stopped(make, tmp_path):
    path = make.tar(tmp_path / "bomb.tar.gz", {"a.jpg": bytes(25_000_000)})
    assert path.stat().st_size < 100_000
    with pytest.raises(DatasetError, match="the limit for one file"):
        read_all(path)


def test_a_tar_header_that_states_a_giant_name_is_refused(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 3_000_000_000
    (tmp_path / "bomb.tar").write_bytes(info.tobuf() + bytes(4096))
    with pytest.raises(DatasetError, match=r"a piece larger than .* bytes, the limit for one file"):
        open_source(tmp_path / "bomb.tar")


def header_of(name, size, kind=tarfile.REGTYPE):
    """Return a tar header that states a size below 0, which `tarfile` would not write."""
    info = tarfile.TarInfo(name)
    info.type = kind
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"\xff" + (size % 2**88).to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE])
@pytest.mark.parametrize("name", ["a/._x", "a/x.jpg"])
def test_a_tar_header_that_states_a_negative_size_is_refused_and_not_read_round_and_round(tmp_path, name, kind):
    (tmp_path / "faces.tar").write_bytes(
        tarfile.TarInfo("a/1.jpg").tobuf() + header_of(name, -1024, kind) + bytes(1024)
    )
    with pytest.raises(DatasetError, match=f"damaged or cut short: '{name}' states a negative size"):
        open_source(tmp_path / "faces.tar")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "faces.tar", "w") as archive:
        info = tarfile.TarInfo("30_1.jpg")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DatasetError, match="a link or a special file"):
        open_source(tmp_path / "faces.tar")


def test_links_in_a_zip_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        info = zipfile.ZipInfo("30_1.jpg")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DatasetError, match="a link or a special file"):
        open_source(tmp_path / "faces.zip")


def test_an_encrypted_zip_is_told_apart_from_a_damaged_one(make, tmp_path):
    content = bytearray(make.zip(tmp_path / "faces.zip", {"a.jpg": b"x"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "faces.zip").write_bytes(content)
    with pytest.raises(DatasetError, match="is encrypted; unpack the archive"):
        open_source(tmp_path / "faces.zip")


def test_a_zip_compressed_by_another_method_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.jpg", b"x")
    with pytest.raises(DatasetError, match="not by deflate"):
        open_source(tmp_path / "faces.zip")


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar", "faces.tar.gz"])
def test_an_archive_cut_anywhere_is_refused(make, tmp_path, name):
    write = make.zip if name.endswith("zip") else make.tar
    whole = write(tmp_path / name, FILES).read_bytes()
    # Behind the end of a tar's contents there is only padding.
    end = 5 * 1536 if name.endswith("tar") else len(whole)
    for cut in range(300, end, 97):
        (tmp_path / name).write_bytes(whole[:cut])
        with pytest.raises(DatasetError) as caught:
            read_all(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_damaged_header_inside_a_tar_is_not_taken_for_its_end(make, tmp_path):
    content = bytearray(make.tar(tmp_path / "faces.tar", FILES).read_bytes())
    content[1536 + 150] ^= 0xFF
    (tmp_path / "faces.tar").write_bytes(content)
    with pytest.raises(DatasetError, match="no end of the archive after byte 1536"):
        open_source(tmp_path / "faces.tar")


def test_a_flipped_bit_in_a_zip_is_noticed(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.writestr("a.jpg", b"abcdefgh" * 50)
    content = bytearray((tmp_path / "faces.zip").read_bytes())
    content[100] ^= 1
    (tmp_path / "faces.zip").write_bytes(content)
    with pytest.raises(DatasetError, match=r"damaged or cut short: Bad CRC-32 for file 'a\.jpg'"):
        read_all(tmp_path / "faces.zip")


def test_a_name_that_occurs_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "faces.tar", "w") as archive:
        for content in (b"1", b"2"):
            info = tarfile.TarInfo("30_1.jpg")
            info.size = 1
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(DatasetError, match=r"holds 30_1\.jpg twice"):
        open_source(tmp_path / "faces.tar")


def test_litter_that_occurs_twice_in_a_zip_is_left_out_as_any_litter(make, tmp_path):
    path = make.zip(tmp_path / "faces.zip", FILES | {"top/.DS_Store": b"1", "top/xDS_Store": b"2"})
    path.write_bytes(path.read_bytes().replace(b"xDS_Store", b".DS_Store"))
    assert read_all(path) == FILES


def test_an_archive_that_cannot_be_read_is_not_called_damaged(make, tmp_path, monkeypatch):
    path = make.zip(tmp_path / "faces.zip", FILES)
    source = open_source(path)
    monkeypatch.setattr(zipfile, "ZipFile", Mock(side_effect=OSError(errno.EIO, "EIO")))
    with pytest.raises(DatasetError, match=f"^{path} cannot be read: {os.strerror(errno.EIO)}$"):
        list(source.read())


ODD = {"top/K\udcf6ln.jpg": "is not UTF-8", "top/a\u202egpj.jpg": "has a character that cannot be shown"}


@pytest.mark.parametrize("name", ["faces.tar", "faces.tar.gz"])
def test_files_with_odd_names_are_rejected_one_by_one(make, tmp_path, name):
    source = open_source(make.tar(tmp_path / name, FILES | dict.fromkeys(ODD, b"x")))
    assert {member.name: member.content for member in source.read()} == FILES
    assert [one.reason for one in source.rejected] == [f"its name {why}; rename it" for why in ODD.values()]


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar", "faces.tar.gz"])
def test_backslashes_divide_the_folders_of_an_archive(make, tmp_path, name):
    write = make.zip if name.endswith("zip") else make.tar
    path = write(tmp_path / name, {file.replace("/", "\\"): content for file, content in FILES.items()})
    assert read_all(path) == FILES
