import re
from pathlib import Path

from search.settings.settings import Settings
from search.settings.table import settings_table, written

README = Path(__file__).parents[3] / "README.md"


def test_the_readme_has_the_table_of_the_settings_as_they_are():
    assert written(README.read_text()) == README.read_text()


def test_a_bar_in_a_description_ends_no_cell():
    rows = settings_table().splitlines()
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert any(r"16\|32" in row for row in rows)


def test_the_table_names_every_setting_once():
    assert all(settings_table().count(f"| `{name}` |") == 1 for name in Settings.model_fields)
