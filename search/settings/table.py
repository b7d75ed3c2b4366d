"""The settings as docs/settings.md and .env.example list them; `make settings` writes them there.

Each of the two files is given by name, and its list stands between two marks.
"""

import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from search.settings.settings import Settings, panel_of
from search.settings.sources import PREFIX

START, END = "<!-- settings: written by `make settings` -->\n", "<!-- /settings -->\n"
ENV_START, ENV_END = "# settings: written by `make settings`\n", "# /settings\n"
HEAD = "| key | default | |\n| --- | --- | --- |"


def settings_table() -> str:
    """Return the settings as Markdown: for each panel of the help a table of key, default, and what it is."""
    panels: dict[str, list[str]] = {}
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else f"`{shown(field.default)}`" if shown(field.default) else "empty"
        panels.setdefault(panel_of(name), []).append(f"| `{name}` | {default} | {_cell(field)} |")
    return "\n".join("\n".join((f"## {panel}\n", HEAD, *rows, "")) for panel, rows in panels.items())


def _cell(field: FieldInfo) -> str:
    """Return a setting's description as a cell, which a bar would end."""
    return str(field.description).replace("|", r"\|")


def settings_variables() -> str:
    """Return the settings as an environment file: what each is, and its variable with the default, commented out."""
    lines = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else shown(field.default)
        lines.append(f"# {field.description}\n#{PREFIX}{name.upper()}={default}\n")
    return "".join(lines)


def shown(value: object) -> str:
    """Return a setting's value as one types it."""
    if isinstance(value, tuple):
        return (":" if isinstance(value[0], float) else ",").join(f"{each:g}" for each in value)
    return str(value)


def written(text: str) -> str:
    """Return the text of docs/settings.md or .env.example with the settings as they are now."""
    for start, end, settings in ((START, END, settings_table()), (ENV_START, ENV_END, settings_variables())):
        if start in text:
            before, _, rest = text.partition(start)
            text = before + start + settings + end + rest.partition(end)[2]
    return text


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(written(path.read_text()))
