"""What a user's program may be."""

from pathlib import Path

import pytest

from search.errors import SearchError
from search.tasks.program.program import Program


@pytest.mark.parametrize("given", [{}, {"path": Path("train.py"), "command": "sh train.sh"}])
def test_it_is_a_file_or_a_command(given):
    with pytest.raises(SearchError, match="give one of the two"):
        Program(**given)


@pytest.mark.parametrize("limit", ["minutes", "memory", "threads"])
def test_a_limit_is_above_0(limit):
    with pytest.raises(SearchError, match=f"{limit} = 0"):
        Program(command="train", **{limit: 0})


def test_a_python_file_is_run_by_the_python_that_is_named(write, tmp_path):
    path = write("")
    assert Program(path=path, python="/bin/sh").words() == ["/bin/sh", str(path)]
    assert Program(path=Path("train.py"), python="sh", folder=tmp_path).words()[1] == str(path)


def test_any_other_file_is_run_itself(write):
    path = write("", name="train")
    assert Program(path=path).words() == [str(path)]
    path.chmod(0o644)
    with pytest.raises(SearchError, match=r"chmod \+x"):
        Program(path=path).words()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": Path("nowhere.py")}, r"nowhere\.py is not a file"),
        ({"path": Path("train.py"), "python": "no-such-python"}, "python: no-such-python is not a program"),
    ],
)
def test_what_cannot_be_run_is_refused(write, tmp_path, given, said):
    write("")
    with pytest.raises(SearchError, match=said):
        Program(**given, folder=tmp_path).words()
