"""The files that decide a program's results."""

import hashlib
from pathlib import Path

import pytest

from search.errors import SearchError
from search.tasks.program.digests import changes, digests, require_unchanged
from search.tasks.program.program import Program


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text("1")
    (tmp_path / "lib/__pycache__").mkdir(parents=True)
    (tmp_path / "lib/net.py").write_text("2")
    (tmp_path / "lib/__pycache__/net.pyc").write_text("3")
    (tmp_path / "lib/.cache").write_text("5")
    (tmp_path / "notes.txt").write_text("4")
    return tmp_path


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_program_s_own_file_is_one_of_them(folder):
    assert digests(Program(path=Path("train.py"), folder=folder)) == {"train.py": sha256("1")}


def test_what_is_watched_may_be_files_folders_and_patterns(folder):
    found = digests(Program(path=folder / "train.py", folder=folder, watch=("lib", "*.txt")))
    assert found == {"lib/net.py": sha256("2"), "notes.txt": sha256("4"), "train.py": sha256("1")}


@pytest.mark.parametrize(
    ("command", "names"),
    [("python3 train.py {x}", ["train.py"]), ("./train.py notes.txt", ["notes.txt", "train.py"]), ("sort {x}", [])],
)
def test_the_files_that_a_command_names_are_among_them(folder, command, names):
    assert sorted(digests(Program(command=command, folder=folder))) == names


@pytest.mark.parametrize("pattern", ["", "*.md", "/nowhere/*.py"])
def test_nothing_to_watch_is_refused(folder, pattern):
    with pytest.raises(SearchError, match=f"watch names '{pattern}'".replace("*", r"\*")):
        digests(Program(path=Path("train.py"), folder=folder, watch=(pattern,)))


def test_a_program_that_is_not_there_is_refused(folder):
    with pytest.raises(SearchError, match=r"other\.py cannot be read"):
        digests(Program(path=Path("other.py"), folder=folder))


def test_changes_are_named():
    said = changes({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"})
    assert said == ("c is missing", "d is new", "b has changed")


def test_a_changed_file_is_refused_by_name(folder):
    program = Program(path=Path("train.py"), folder=folder)
    before = digests(program)
    require_unchanged(program, before)
    (folder / "train.py").write_text("other")
    with pytest.raises(SearchError, match=r"train\.py has changed"):
        require_unchanged(program, before)
