"""What the README and the pages next to it tell people to type: commands, flags, targets and files that there are."""

import re
import shlex
from html import unescape

import pytest
import typer

from search.__main__ import app
from tests.pages import INDEX, PAGES, ROOT, mentioned, typed

LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")
EVERYWHERE = {"--help", "--debug"}
OTHERS = {"--signal", "--exclude-editable"}
"""Flags that a sentence mentions and that are another program's: sbatch's, pip's."""


def command_of(line):
    """Return the command that a line types, and the words after it."""
    command = typer.main.get_command(app)
    words = [word for word in shlex.split(line, comments=True)[1:] if word not in ("…", "NAME", "--help")]
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        name = words.pop(0)
        assert name in command.commands, line
        command = command.commands[name]
    return command, words


def flags_of(command):
    """Return the flags of a command, and of all within it."""
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return own.union(*map(flags_of, getattr(command, "commands", {}).values()))


def flags_in(line):
    return set(re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", line))


@pytest.mark.parametrize(("page", "line"), typed("agesearch "))
def test_a_command_is_one_that_the_program_has_with_flags_and_arguments_that_it_takes(page, line):
    command, words = command_of(line)
    assert command.make_context(command.name, words), page


@pytest.mark.parametrize(("page", "line"), mentioned("agesearch "))
def test_a_command_in_a_sentence_is_one_that_the_program_has_with_flags_that_it_knows(page, line):
    command, _ = command_of(line)
    assert flags_in(line) <= flags_of(command) | EVERYWHERE, page


@pytest.mark.parametrize(("page", "span"), mentioned("--"))
def test_a_flag_in_a_sentence_is_one_that_some_command_knows(page, span):
    assert flags_in(span) <= flags_of(typer.main.get_command(app)) | EVERYWHERE | OTHERS, page


@pytest.mark.parametrize(("page", "line"), typed("make ") + mentioned("make "))
def test_a_target_is_one_of_the_makefile(page, line):
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"{page}: {line}"


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_leads_to_a_file_and_a_heading_that_there_are(page):
    for target, heading in LINK.findall(page.read_text()):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not heading or heading in anchors(file), f"{target}#{heading}"


def anchors(page):
    """Return what the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_has_every_page_of_the_folder():
    linked = {target for target, _ in LINK.findall(INDEX.read_text())}
    assert {page.name for page in INDEX.parent.glob("*.md")} - {INDEX.name} <= linked


def test_the_picture_is_of_a_search_that_the_readme_types():
    shown = unescape((ROOT / "docs/terminal.svg").read_text()).replace("\N{NO-BREAK SPACE}", " ")
    assert any(f"$ {line}<" in shown for page, line in typed("agesearch search") if page == "README.md")


def test_the_readme_is_short_enough_to_be_read():
    assert len((ROOT / "README.md").read_text().splitlines()) < 170


@pytest.mark.parametrize("room", ["data", "model"])
def test_the_tree_of_the_rooms_has_every_file_of_a_room_without_rooms_of_its_own(room):
    _, _, after = (ROOT / "docs/architecture.md").read_text().partition(f"\n{room}/ ")
    tree = re.split(r"\n\w+/ ", after)[0]
    files = {path.stem for path in (ROOT / room).glob("*.py")} - {"__init__", "errors"}
    assert files <= set(re.findall(r"\w+", tree))


def test_the_pages_show_enough_commands_to_be_tested():
    assert len(typed("agesearch ")) > 25
    assert len(typed("make ")) >= 2
    assert len(mentioned("make ")) >= 5
    assert len(mentioned("--")) > 25
