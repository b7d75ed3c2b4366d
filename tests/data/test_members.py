import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.errors import DatasetError
from data.members import (
    Limits,
    Quota,
    archived_name,
    common_folder,
    content_digest,
    is_litter,
    is_litter_folder,
    oddly_named,
    plain_path,
    shown,
)


@pytest.mark.parametrize(
    "name",
    [
        "../a.jpg",
        "a/../../b.jpg",
        "/etc/passwd",
        "C:/a.jpg",
        "a\\b.jpg",
        "a\0b.jpg",
        "a\nb.jpg",
        "x" * 1001,
        "a\udcff.jpg",
        "a\x85b.jpg",
        "a\u2028b.jpg",
        "a\u2029b.jpg",
        "a\u202egpj.exe",
        "a\u2066b.jpg",
    ],
)
def test_a_name_that_is_no_plain_path_is_none(name):
    assert plain_path(name) == ""


@pytest.mark.parametrize(
    "name", ["../a.jpg", "a/../../b.jpg", "/etc/passwd", "C:/a.jpg", "..\\a.jpg", "C:\\a.jpg", "\\\\a"]
)
def test_a_name_that_leads_out_of_an_archive_is_the_end_of_it(name):
    with pytest.raises(DatasetError, match=r"^faces.zip holds .*, which leads out of it, so nothing of it is read$"):
        archived_name("faces.zip", name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (os.fsdecode("Köln.jpg".encode("latin-1")), "is not UTF-8"),
        ("a\\b.jpg", "has a backslash"),
        ("a\nb.jpg", "has a character that cannot be shown"),
        ("x" * 1001, "is longer than 1000 bytes"),
        ("a:b.jpg", "is not a plain path"),
    ],
)
def test_an_odd_name_is_said_to_be_changed(name, why):
    assert str(oddly_named(name)) == f"{shown(name)}: its name {why}; rename it"


def test_a_name_is_shown_with_its_letters_but_without_what_misleads():
    assert shown("Käse ü 顔.png") == "'Käse ü 顔.png'"
    assert shown("a\x1b[2J\x85\u2028\u202e\u2066\udcff\n") == r"'a\x1b[2J\x85\u2028\u202e\u2066\udcff\n'"
    assert shown("ä" * 100) == f"'{'ä' * 80}...'"


@pytest.mark.parametrize("letter", ["\u202f", "\xa0", "\u3000", "\u200c", "\u200d", "\xad", "\ue000", "\U0001f9d1"])
def test_a_name_may_have_any_space_joiner_or_sign(letter):
    name = f"Screenshot 2024-05-01 at 10.00.00{letter}PM.png"
    assert archived_name("faces.zip", name) == name


def test_a_plain_name_loses_its_dots_and_double_slashes():
    assert archived_name("faces.zip", "./a//b/./c d é.jpg") == "a/b/c d é.jpg"


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        ([], ""),
        (["a.jpg"], ""),
        (["top/a.jpg"], "top/"),
        (["top/a.jpg", "top/sub/b.jpg"], "top/"),
        (["top/sub/a.jpg", "top/sub-2/b.jpg", "top/subs/c.jpg"], "top/"),
        (["a/x.jpg", "b/x.jpg"], ""),
    ],
)
def test_the_folder_that_all_names_share_is_found(names, folder):
    assert common_folder(names) == folder


def test_the_digest_ignores_order_and_a_shared_folder_but_not_names_or_content():
    digest = content_digest([("a.jpg", "1"), ("b.jpg", "2")])
    assert content_digest([("top/b.jpg", "2"), ("top/a.jpg", "1")]) == digest
    assert content_digest([("a.jpg", "2"), ("b.jpg", "1")]) != digest
    assert content_digest([("a.jpg", "1"), ("c.jpg", "2")]) != digest


@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_what_file_managers_leave_behind_is_litter_in_whatever_case(change):
    files = (
        *("__MACOSX/a/._b.jpg", "a/.DS_Store", "a/._30_1.jpg", "a/Icon\r", "Thumbs.db", "a\\Desktop.ini", ".directory"),
        *(".gitkeep", "@eaDir/a/b.jpg", "a/.ipynb_checkpoints/30_1.jpg", "30_1.jpg:Zone.Identifier", "train/README"),
        *("README.md", ".Trash-1000/files/a.jpg", "a/.nfs0001"),
    )
    assert [file for file in files if not is_litter(change(file))] == []
    assert is_litter_folder(change("@eaDir"))


@pytest.mark.parametrize("name", ["a/30_1.jpg", "thumbs.db.jpg", "readme.jpg", "icon.jpg", "git/a.jpg", ".a.jpg"])
def test_what_may_be_an_image_is_no_litter(name):
    assert not is_litter(name)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(members=1), "more than 1 files, the limit on their number"),
        (Limits(file_bytes=4), "larger than 4 bytes, the limit for one file"),
        (Limits(total_bytes=9), "more than 9 bytes, the limit for all its files"),
    ],
)
def test_each_limit_is_named_when_it_is_passed(limits, message):
    quota = Quota("faces.zip", limits)
    with pytest.raises(DatasetError, match=message):
        [quota.take(name, 5) for name in ("a.jpg", "b.jpg")]


def test_files_can_be_counted_alone():
    quota = Quota("faces", Limits(members=2, file_bytes=0, total_bytes=0))
    for _ in range(2):
        quota.count()
    with pytest.raises(DatasetError, match="more than 2 files, the limit on their number"):
        quota.count()


def test_a_file_is_too_large_from_one_byte_beyond_the_limit():
    Limits(file_bytes=4).check_file(b"1234")
    with pytest.raises(DatasetError, match=r"^it is larger than 4 bytes, the limit for one file$"):
        Limits(file_bytes=4).check_file(b"12345")


@example("./::")
@given(st.text(alphabet=st.sampled_from("ab./\\:\0\n é\udcff\u202f\u2028\u202e"), max_size=30) | st.text(max_size=1100))
def test_any_name_of_a_member_is_a_plain_path_within_the_source_or_none(name):
    try:
        safe = archived_name("faces.zip", name)
    except DatasetError:
        return
    if not safe:
        return
    inside = (Path("/source") / safe).resolve()
    assert inside != Path("/source").resolve()
    assert inside.is_relative_to(Path("/source").resolve())
    assert safe == archived_name("faces.zip", safe)
    turns = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    assert not any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in turns for one in safe)
