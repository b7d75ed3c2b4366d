"""What the README and the pages beside it tell people to type: commands, flags, targets and files that there are."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from search.__main__ import app

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def lines(start):
    """Return every line of a page's blocks that types `start`, without the prompt, and the page it stands on."""
    found = []
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            typed = (line.removeprefix("$ ").removeprefix("srun ") for line in block.replace("\\\n", " ").splitlines())
            found += [(page.name, line) for line in typed if line.startswith(start)]
    return found


@pytest.mark.parametrize(("page", "line"), lines("agesearch "))
def test_a_command_is_one_that_the_program_has_with_flags_that_it_knows(page, line):
    command = typer.main.get_command(app)
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "…"]
    while hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"{page}: {line}"
        command = command.commands[name]
    command.make_context(command.name, words)  # raises for an unknown flag, a missing argument or one too many


@pytest.mark.parametrize(("page", "line"), lines("make "))
def test_a_target_is_one_of_the_makefile(page, line):
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_that_there_is(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_pages_show_enough_commands_to_be_tested():
    assert len(lines("agesearch ")) > 25
    assert len(lines("make ")) >= 2
