import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import DatasetError, WriteFailure
from data.files import DATASET_BEGINS, Kind, check_writable, replacing_any_file, whole_file, write_bytes


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_is_written_with_its_missing_folders(tmp_path):
    write_bytes(tmp_path / "a/b/out.bin", b"whole")
    assert (tmp_path / "a/b/out.bin").read_bytes() == b"whole"
    assert names(tmp_path / "a/b") == ["out.bin"]


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
    write_bytes(tmp_path / "out.bin", b"old")

    def interrupt():
        with replacing_any_file(), whole_file(tmp_path / "out.bin", None) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert (tmp_path / "out.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["out.bin"]


def test_an_exception_removes_the_folders_made_for_the_file(tmp_path):
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a/b/out.bin", None):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_the_name_appears_only_when_the_block_has_ended(tmp_path):
    with whole_file(tmp_path / "out.bin", None) as temporary:
        temporary.write_bytes(b"half")
        assert temporary.parent == tmp_path
        assert not (tmp_path / "out.bin").exists()


def test_the_file_has_the_usual_permissions(tmp_path):
    write_bytes(tmp_path / "out.bin", b"")
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.bin").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_in_the_way_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"cannot write .*: it is a folder; choose another --out"):
        write_bytes(tmp_path, b"")


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    (tmp_path / "file").touch()
    for write in (check_writable, lambda path: write_bytes(path, b"")):
        with pytest.raises(DatasetError, match=r"cannot write .*file/out.bin: .*; choose another --out"):
            write(tmp_path / "file/out.bin")


def test_a_failing_disk_is_told_in_one_sentence(tmp_path):
    with (
        pytest.raises(WriteFailure, match=r"cannot write .*: No space left on device; see to the disk, and run"),
        whole_file(tmp_path / "out.bin", None),
    ):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DatasetError, match="is not writable"):
        check_writable(tmp_path / "out.bin")


def test_checking_changes_nothing_on_disk(tmp_path):
    check_writable(tmp_path / "a/b/out.bin")
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["n" * 300, "é" * 200, f"{'n' * 300}/out.bin"])
def test_a_name_that_is_too_long_is_refused(tmp_path, name):
    with pytest.raises(DatasetError, match=r"cannot write .*: File name too long; choose another --out"):
        write_bytes(tmp_path / name, b"content")


@given(st.text(min_size=1, max_size=300) | st.binary(min_size=1, max_size=300).map(os.fsdecode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_file_of_any_name_is_written_whole_or_refused_in_a_sentence_and_nothing_else_is_left(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    path = folder / name.replace("/", "_")
    said = None
    try:
        write_bytes(path, b"content")
    except DatasetError as error:
        said = str(error)
    if said is None:
        assert path.read_bytes() == b"content"
        path.unlink()
    assert said is None or said.startswith("cannot write ")
    assert list(folder.iterdir()) == []


def test_a_name_of_many_bytes_in_few_letters_is_no_hindrance(tmp_path):
    write_bytes(tmp_path / f"{'年' * 80}.h5", b"whole")
    assert names(tmp_path) == [f"{'年' * 80}.h5"]


MARKED = {
    Kind.DATASET: DATASET_BEGINS + b"..agesearch dataset..",
    Kind.FIGURE: b"\x89PNG\r\n\x1a\n....tEXtSoftware\0agesearch",
    Kind.TOML: b"# Written by agesearch\nvalue = 1\n",
    Kind.PAGE: b'<!doctype html>\n<meta name="generator" content="agesearch">',
    Kind.HISTORY: b"epoch,training_mae,validation_mae,seconds,best\n",
}
OTHERS = [
    DATASET_BEGINS + b"another's",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"path,value\n",
    b"trials = [2]\n",
    b"PK\x03\x04",
]


@pytest.mark.parametrize("kind", MARKED)
def test_a_file_is_replaced_by_one_of_its_kind_where_its_mark_says_that_it_is_our_own(tmp_path, kind):
    write_bytes(tmp_path / "out", MARKED[kind])
    write_bytes(tmp_path / "out", MARKED[kind] + b"new")
    assert (tmp_path / "out").read_bytes() == MARKED[kind] + b"new"
    (other,) = {Kind.TOML, Kind.FIGURE} - {kind} if kind in (Kind.TOML, Kind.FIGURE) else {Kind.TOML}
    with pytest.raises(DatasetError, match=f"no {other.value} that agesearch wrote; choose another --out, or give --f"):
        write_bytes(tmp_path / "out", MARKED[other])


@pytest.mark.parametrize("there", OTHERS)
def test_anothers_file_is_replaced_by_force_alone(tmp_path, there):
    (tmp_path / "out").write_bytes(there)
    for content in (*MARKED.values(), b"without a mark"):
        with pytest.raises(DatasetError, match=r"a file is there that is no .*choose another --to, or give --force"):
            write_bytes(tmp_path / "out", content, "--to")
    assert (tmp_path / "out").read_bytes() == there
    with replacing_any_file():
        write_bytes(tmp_path / "out", b"new")
    assert (tmp_path / "out").read_bytes() == b"new"


def test_an_empty_file_is_replaced_and_a_pipe_or_a_database_never(tmp_path):
    (tmp_path / "empty").touch()
    write_bytes(tmp_path / "empty", b"new")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "study.db").write_bytes(b"SQLite format 3\0")
    for name in ("pipe", "study.db"):
        with replacing_any_file(), pytest.raises(DatasetError, match=f"cannot write .*{name}: "):
            write_bytes(tmp_path / name, b"new")
