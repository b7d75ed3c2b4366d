"""What the README and the pages beside it tell people to type: commands, flags, targets and files that there are."""

import re
import shlex

import pytest
import typer

from search.__main__ import app
from tests.pages import PAGES, ROOT, mentioned, typed

LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize(("page", "line"), typed("agesearch ") + mentioned("agesearch "))
def test_a_command_is_one_that_the_program_has_with_flags_that_it_knows(page, line):
    command = typer.main.get_command(app)
    words = [word for word in shlex.split(line, comments=True)[1:] if word not in ("…", "NAME", "--help")]
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"{page}: {line}"
        command = command.commands[name]
    # Raises for an unknown flag or one argument too many; in a sentence, arguments may be left out.
    command.make_context(command.name, words, resilient_parsing=(page, line) not in typed("agesearch "))


@pytest.mark.parametrize(("page", "line"), typed("make ") + mentioned("make "))
def test_a_target_is_one_of_the_makefile(page, line):
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_that_there_is(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_pages_show_enough_commands_to_be_tested():
    assert len(typed("agesearch ")) > 25
    assert len(typed("make ")) >= 2
    assert len(mentioned("make ")) >= 5
