"""The table of settings in the README; `python -m search.settings_table README.md` writes it there."""

import sys
from pathlib import Path

from search.settings import PREFIX, Settings

START, END = "<!-- settings: written by `python -m search.settings_table README.md` -->\n", "<!-- /settings -->\n"


def settings_table() -> str:
    """Return the settings as a Markdown table: key, variable, default, what it is."""
    rows = [
        f"| `{name}` | {'none' if field.default is None else f'`{shown(field.default)}`'} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = [f"| key (variable: `{PREFIX}` + key in capitals) | default | |", "| --- | --- | --- |"]
    return "\n".join(head + rows) + "\n"


def shown(value: object) -> str:
    """Return a setting's value as one types it."""
    if isinstance(value, tuple):
        return (":" if isinstance(value[0], float) else ",").join(f"{each:g}" for each in value)
    return str(value)


def written(readme: str) -> str:
    """Return the README's text with the table as it is now."""
    before, _, rest = readme.partition(START)
    return before + START + settings_table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text()))
