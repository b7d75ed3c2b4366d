import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import DatasetError, WriteFailure
from data.files import DATASET, check_no_other, check_writable, file_name, whole_file, write_bytes


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_is_written_with_its_missing_folders(tmp_path):
    write_bytes(tmp_path / "a/b/out.bin", b"whole")
    assert (tmp_path / "a/b/out.bin").read_bytes() == b"whole"
    assert names(tmp_path / "a/b") == ["out.bin"]


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
    write_bytes(tmp_path / "out.bin", b"old")

    def interrupt():
        with whole_file(tmp_path / "out.bin") as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert (tmp_path / "out.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["out.bin"]


def test_an_exception_removes_the_folders_made_for_the_file(tmp_path):
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a/b/out.bin"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_the_name_appears_only_when_the_block_has_ended(tmp_path):
    with whole_file(tmp_path / "out.bin") as temporary:
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
        whole_file(tmp_path / "out.bin"),
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


@pytest.mark.parametrize(("begins", "kind"), [(b"\x89HDF\r\n\x1a\n", "dataset"), (b"SQLite format 3\0", "database")])
def test_a_dataset_or_a_database_is_not_replaced_by_another_kind_of_file(tmp_path, begins, kind):
    precious = tmp_path / "precious"
    precious.write_bytes(begins + b"and so on")
    with pytest.raises(DatasetError, match=f"it is a {kind}; choose another --out"):
        write_bytes(precious, b"text")
    assert precious.read_bytes() == begins + b"and so on"


PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize("begins", [PNG, JPEG])
def test_an_image_is_not_replaced_by_another_kind_of_file(tmp_path, begins):
    (tmp_path / "photo").write_bytes(begins + b"and so on")
    with pytest.raises(DatasetError, match="it is an image; choose another --figure"):
        write_bytes(tmp_path / "photo", b"text", "--figure")
    assert (tmp_path / "photo").read_bytes() == begins + b"and so on"


def test_a_png_replaces_a_png_or_an_empty_file_and_nothing_else(tmp_path):
    for there in (PNG + b"old", b""):
        (tmp_path / "figure.png").write_bytes(there)
        write_bytes(tmp_path / "figure.png", PNG + b"new")
        assert (tmp_path / "figure.png").read_bytes() == PNG + b"new"
    (tmp_path / "labels.csv").write_text("path,value")
    with pytest.raises(DatasetError, match="a file is there that is no PNG image; choose another --out"):
        write_bytes(tmp_path / "labels.csv", PNG)
    assert (tmp_path / "labels.csv").read_text() == "path,value"


def test_a_dataset_may_take_the_place_of_a_dataset_of_an_empty_file_or_of_none(tmp_path):
    for name, there in (("a", DATASET + b"and so on"), ("b", b"")):
        (tmp_path / name).write_bytes(there)
        check_no_other(tmp_path / name, DATASET, "dataset")
    check_no_other(tmp_path / "c", DATASET, "dataset")


@pytest.mark.parametrize("text", ["faces", "a b", "..x", "年" * 66])
def test_a_text_that_is_a_files_name_stays_it(text):
    assert file_name(text) == text


@pytest.mark.parametrize(
    ("text", "begins"), [("../x/y", ".._x_y-"), ("..", "..-"), (".", ".-"), ("", "-"), ("年" * 90, "年" * 66 + "-")]
)
def test_any_other_text_makes_one_name_of_a_file(text, begins):
    name = file_name(text)
    assert name.startswith(begins)
    assert len(name) == len(begins) + 8
    assert "/" not in name


def test_no_two_texts_have_the_same_name_of_a_file():
    texts = ["a/b", "a_b", "a", "年" * 66, "年" * 67, "年" * 68, ".", "..", ""]
    assert len({file_name(text) for text in texts}) == len(texts)
