"""Flags made from values: from the settings, described once for all commands, and from a group of a command's own."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

from search.settings.settings import Settings, panel_of
from search.settings.sources import CONFIG_FILE, load_settings
from search.settings.table import shown

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def takes_settings(*names: str, argument: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function whose first argument is `Settings`, with a flag for each of `names`.

    The flags' texts are checked where all settings are, in `load_settings`. The setting `argument` needs no flag: it
    may stand by itself.
    """
    named = names if argument is None else (*names, argument)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(command).parameters.values()

        def run(**given: Any) -> None:
            config = given.pop("config")
            flags = {name: given.pop(name) for name in named}
            command(load_settings(config, {k: v for k, v in flags.items() if v is not None}), **given)

        # Typer wants arguments before the flags that have defaults.
        alone = [] if argument is None else [_argument(argument)]
        return _described(run, command, [*own, *alone, *map(_flag, names), _config()])

    return decorate


def takes_group(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function of which one parameter is a dataclass: its fields are flags in that place."""
    parameters = inspect.signature(command).parameters.values()
    (group,) = (each for each in parameters if is_dataclass(each.annotation))
    flags = inspect.signature(group.annotation).parameters

    def run(**given: Any) -> None:
        command(**{group.name: group.annotation(**{name: given.pop(name) for name in flags})}, **given)

    opened = [flags.values() if each is group else (each,) for each in parameters]
    return _described(run, command, [each for those in opened for each in those])


def may_force(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flag `--force`, with which it replaces files that this program did not write."""
    parameters = list(inspect.signature(command).parameters.values())

    def run(*settings: Any, **given: Any) -> None:
        from data.files import replacing_any_file

        with replacing_any_file(given.pop("force")):
            command(*settings, **given)

    return _described(run, command, [*parameters, _force()])


def _described(
    run: Callable[..., None], command: Callable[..., None], parameters: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    """Let `run` have the name and help of `command` and take `parameters`; Typer reads signature and annotations."""
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # mypy knows no such attribute
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _flag(name: str) -> inspect.Parameter:
    field = Settings.model_fields[name]
    silent = field.default is None or field.default is False or field.default == ""
    default = "" if silent else f" (default: {shown(field.default)})"
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        help=f"{field.description}{default}",
        show_default=False,
        metavar=None if field.annotation is bool else _form(field.annotation),
        rich_help_panel=panel_of(name),
    )
    annotation: Any = Annotated[bool | None, option] if field.annotation is bool else Annotated[str | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _argument(name: str) -> inspect.Parameter:
    help_text = Settings.model_fields[name].description
    annotation = Annotated[str | None, typer.Argument(help=help_text, show_default=False, metavar=f"[{name.upper()}]")]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _form(kind: Any) -> str:
    """Return how a value of a setting's type is typed, in the words that Typer has for other flags."""
    parts = [each for each in get_args(kind) if each is not NoneType]
    if get_origin(kind) is Literal:
        return "|".join(f"{each}" for each in parts)
    if get_origin(kind) in (Union, UnionType):
        return "|".join(map(_form, parts))
    if get_origin(kind) is Annotated:
        return _form(parts[0])
    return {int: "<int>", float: "<float>", Path: "<path>"}.get(kind, "<str>")


def _force() -> inspect.Parameter:
    option = typer.Option("--force", help="Replace files that agesearch did not write, too.")
    return inspect.Parameter("force", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option])


def _config() -> inspect.Parameter:
    option = typer.Option("--config", envvar="AGESEARCH_CONFIG", help=f"A settings file instead of {CONFIG_FILE}.")
    annotation = Annotated[Path | None, option]
    return inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
