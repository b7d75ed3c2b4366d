"""A command line with placeholders, as in "python train.py --lr {lr} --seed {seed}", and how a trial fills them in."""

import difflib
import json
import shlex
from collections.abc import Collection, Iterator, Mapping
from string import Formatter
from typing import Any

from search.errors import SearchError
from search.study.trial import Trial

OWN = ("seed", "number", "folder", "final", "params")
"""Placeholders of every trial, besides its parameters and its budget; {params} is all parameters as one JSON object."""


def words_of(command: str) -> tuple[str, ...]:
    """Split a command line as a shell would, of which nothing else is done; raise SearchError for what is none."""
    try:
        words = tuple(shlex.split(command))
        names = {name for word in words for name in _names(word)}
    except ValueError as error:
        raise SearchError(f"command is {command!r}: {error}; write it as in: python train.py --lr {{lr}}") from error
    if not words:
        raise SearchError("command is empty; write it as in: python train.py --lr {lr}")
    if wrong := [name for name in names if not name.isidentifier()]:
        raise SearchError(f"command has the placeholder {{{wrong[0]}}}; write a name only, and {{{{ for a brace")
    return words


def require_placeholders(command: str, params: Collection[str], budget: Collection[str]) -> None:
    """Raise SearchError for a placeholder that no trial has, or a parameter that the command would not be given."""
    names = {name for word in words_of(command) for name in _names(word)}
    known = [*params, *budget, *OWN]
    if twice := [name for name in known if known.count(name) > 1]:
        raise SearchError(f"{twice[0]} is a parameter, and {{{twice[0]}}} is something else too; rename the parameter")
    for name in sorted(names - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {{{near[0]}}}?" if near else f"; known are {', '.join(known)}"
        raise SearchError(f"command has {{{name}}}, which no trial has{meant}")
    if unused := [name for name in params if name not in names and "params" not in names]:
        raise SearchError(f"{unused[0]} is searched, but command has no {{{unused[0]}}}; add it, or {{params}} for all")


def filled(command: str, trial: Trial, folder: str) -> list[str]:
    """Return the words of a command line with a trial's values in them; a value never becomes two words."""
    require_placeholders(command, trial.params, trial.budget)
    own = {"seed": trial.seeds.weights, "number": trial.number, "folder": folder, "final": trial.final}
    own["params"] = json.dumps(dict(trial.params))
    values: Mapping[str, Any] = {**trial.budget, **trial.params, **own}
    return [word.format_map({name: _text(value) for name, value in values.items()}) for word in words_of(command)]


def _names(word: str) -> Iterator[str]:
    """Give the placeholders of a word, each with whatever stands between its braces."""
    for _, name, form, conversion in Formatter().parse(word):
        if name is not None:
            yield name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
