import subprocess

import pytest

from search.report import writing
from search.report.writing import LIST, write_files

OLD = {"figures/old.png": b"old", "figures/both.png": b"before", "tables/old.csv": b"1\n", "report.html": b"page"}
HALF = {"figures/half.png": b"half", "tables/half.csv": b"2\n", "figures/both.png": b"x", "report.html": b"y"}
MARK = "# Files of a report written by agesearch\n"
NEW = {"figures/both.png": b"after", "report.html": b"new page"}


def content(folder):
    """Return all files of a folder but the list."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != LIST)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_what_an_earlier_report_had_and_this_one_has_not_is_removed(tmp_path):
    write_files(tmp_path, OLD)
    assert content(tmp_path) == OLD
    assert write_files(tmp_path, NEW) == tuple(tmp_path / name for name in NEW)
    assert content(tmp_path) == NEW
    subprocess.run(["sha256sum", "--strict", "--check", LIST], cwd=tmp_path, check=True, capture_output=True)


def test_nothing_that_is_not_the_reports_is_removed(tmp_path):
    write_files(tmp_path, OLD)
    own = {"figures/mine.png": b"mine", "notes.txt": b"notes", "figures/old.png": b"changed by hand"}
    for name, text in own.items():
        (tmp_path / name).write_bytes(text)
    write_files(tmp_path, NEW)
    assert content(tmp_path) == NEW | own


@pytest.mark.parametrize("line", ["../outside.txt", "/etc/hosts", "notes.txt", "figures/../notes.txt", "\xff"])
def test_a_list_that_names_other_files_removes_none_of_them(line, tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    for path in (tmp_path / "outside.txt", folder / "notes.txt"):
        path.write_bytes(b"")
    (folder / LIST).write_text(f"{MARK}{writing.sha256(b'').hexdigest()}  {line}\n", encoding="latin-1")
    write_files(folder, NEW)
    assert (tmp_path / "outside.txt").exists()
    assert content(folder) == NEW | {"notes.txt": b""}


@pytest.mark.parametrize("written", range(6))
def test_a_report_that_was_killed_leaves_nothing_that_the_next_one_does_not_know(written, tmp_path, monkeypatch):
    write_files(tmp_path, OLD)
    write, left = writing.write_bytes, iter(range(written))

    def dying(path, text):
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(writing, "write_bytes", dying)
    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, HALF)
    monkeypatch.setattr(writing, "write_bytes", write)
    write_files(tmp_path, NEW)
    assert content(tmp_path) == NEW
