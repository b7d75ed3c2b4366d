import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from search.cli.options import takes_group, takes_settings
from search.errors import SearchError
from search.settings.settings import Settings


@pytest.fixture
def command(monkeypatch, tmp_path):
    """A command of two settings and an option of its own, and how it is called; in an empty folder."""
    monkeypatch.chdir(tmp_path)
    seen = []

    @takes_settings("seed", "learning_rate")
    def show(settings: Settings, loud: bool = False) -> None:
        """Show the settings."""
        seen.append((settings, loud))

    app = typer.Typer()
    app.command()(show)

    def call(*arguments):
        CliRunner().invoke(app, arguments, catch_exceptions=False, standalone_mode=False)
        return seen[-1]

    call.function = show
    call.app = app
    return call


def test_the_command_keeps_its_name_and_help(command):
    assert command.function.__name__ == "show"
    assert command.function.__doc__ == "Show the settings."


def test_each_setting_named_is_a_flag_beside_the_commands_own(command):
    assert list(inspect.signature(command.function).parameters) == ["loud", "seed", "learning_rate", "config"]
    settings, loud = command("--seed", "3", "--learning-rate", "1e-5:1e-4", "--loud")
    assert (settings.seed, settings.learning_rate, loud) == (3, (1e-5, 1e-4), True)


def test_without_flags_the_defaults_hold(command):
    assert command() == (Settings(), False)


def test_a_setting_that_is_not_named_is_no_flag_but_may_be_in_the_environment_or_the_file(
    command, tmp_path, monkeypatch
):
    with pytest.raises(Exception, match="No such option: --images"):
        command("--images", "7")
    monkeypatch.setenv("AGESEARCH_IMAGES", "7")
    (tmp_path / "mine.toml").write_text("epochs = 9\n")
    settings, _ = command("--config", "mine.toml")
    assert (settings.images, settings.epochs) == (7, 9)


def test_the_settings_file_may_be_named_by_a_variable(command, tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text("epochs = 9\n")
    monkeypatch.setenv("AGESEARCH_CONFIG", "mine.toml")
    assert command()[0].epochs == 9


def test_a_wrong_flag_is_refused_as_a_wrong_setting(command):
    with pytest.raises(SearchError, match="--seed: seed is 'x'"):
        command("--seed", "x")


def test_the_help_describes_a_flag_as_the_setting_is_described_with_its_default(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(command.app, ["--help"]).stdout
    assert Settings.model_fields["learning_rate"].description in shown
    assert "1e-06:0.001" in shown
    assert "─ Search space ─" in shown


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("data", "<path>"),
        ("images", "<int>"),
        ("fit_minutes", "<float>"),
        ("study", "<str>"),
        ("trials", "<str>"),
        ("pruning", "none|median|halving"),
        ("gpus_per_worker", "auto|<float>"),
    ],
)
def test_the_help_says_what_form_a_settings_value_has(name, form, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    @takes_settings(name)
    def show(settings: Settings) -> None:
        """Show one setting."""

    app = typer.Typer()
    app.command()(show)
    (line,) = [each for each in CliRunner().invoke(app, ["--help"]).stdout.splitlines() if flag(name) in each]
    assert line.split()[2] == form


def flag(name):
    return f"--{name.replace('_', '-')} "


@dataclass(frozen=True)
class Group:
    """Two flags."""

    size: Annotated[int, typer.Option(help="How large.")] = 3
    wide: bool = False


def test_the_fields_of_a_group_are_flags_in_its_place():
    seen = []

    @takes_group
    def draw(name: str, how: Group, loud: bool = False) -> None:
        """Draw it."""
        seen.append((name, how, loud))

    app = typer.Typer()
    app.command()(draw)
    assert list(inspect.signature(draw).parameters) == ["name", "size", "wide", "loud"]
    for typed in (["a"], ["a", "--size", "5", "--wide", "--loud"]):
        CliRunner().invoke(app, typed, catch_exceptions=False, standalone_mode=False)
    assert seen == [("a", Group(), False), ("a", Group(5, True), True)]
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert "Draw it." in shown
    assert "How large." in shown
