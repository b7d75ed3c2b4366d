from pathlib import Path

from search.settings import Settings
from search.settings_table import settings_table, written

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_has_the_table_of_the_settings_as_they_are():
    assert written(README.read_text()) == README.read_text()


def test_the_table_names_every_setting_once():
    assert all(settings_table().count(f"| `{name}` |") == 1 for name in Settings.model_fields)
