import sys

import pytest

from search.cli.next_steps import place_of, program
from search.settings.settings import Settings


def test_only_a_place_that_is_not_the_default_is_typed_and_never_with_a_password():
    assert place_of(Settings()) == []
    away = Settings(study="faces", storage="postgresql+psycopg://me:secret@db/ages")
    assert place_of(away) == ["--study", "faces", "--storage", "postgresql+psycopg://me@db/ages"]


@pytest.mark.parametrize(
    ("called", "typed"),
    [
        (".venv/bin/agesearch", ".venv/bin/agesearch"),
        ("my programs/agesearch", "'my programs/agesearch'"),
        ("/there/search/__main__.py", f"{sys.executable} -m search"),
    ],
)
def test_where_a_shell_does_not_find_the_program_it_is_named_as_it_was_called(called, typed, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [called])
    assert program() == typed
