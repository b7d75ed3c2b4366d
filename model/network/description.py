"""A network in plain tables, as TOML and JSON hold it: one for each layer, with its kind and its settings.

    [[layers]]
    kind = "conv2d"
    filters = 32
    kernel = 3
    batch_norm = true

The kinds are those of `layers`; what is left out has its default there, but for the activation of a dense layer that
comes last: an output may be any number, and is linear.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, replace
from typing import Any

from model.errors import ModelError
from model.network.layers import KINDS, Dense, Layer


def layers_from(tables: object) -> tuple[Layer, ...]:
    """Return the layers that `tables` describe; whether they make a network is `Network`'s to say.

    Raises ModelError, naming the layer's index (from 0), for an unknown kind or setting and for one that is missing.
    """
    if not isinstance(tables, Sequence) or isinstance(tables, str) or not tables:
        raise ModelError("a network is a list of layers, each a table [[layers]] with a kind; there is none")
    layers = [_layer(index, table) for index, table in enumerate(tables)]
    if isinstance(layers[-1], Dense) and "activation" not in tables[-1]:
        layers[-1] = replace(layers[-1], activation="linear")
    return tuple(layers)


def tables_of(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """Return the tables that `layers_from` makes the same layers of."""
    return [{"kind": layer.kind, **_plain(layer)} for layer in layers]


def _plain(layer: Layer) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(layer).items()}


def _layer(index: int, table: object) -> Layer:
    if not isinstance(table, Mapping):
        raise ModelError(f"layer {index} is {table!r}; it must be a table [[layers]] with a kind")
    named = table.get("kind")
    if not isinstance(named, str) or named not in KINDS:
        raise ModelError(f"layer {index}: kind is {named!r}; it must be one of {', '.join(KINDS)}")
    kind, place = KINDS[named], f"layer {index}, {named}"
    given: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in table.items() if name != "kind"
    }
    known = [each.name for each in fields(kind)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}"
            raise ModelError(f"{place}: unknown setting {name!r}; {hint}")
    for each in fields(kind):
        if each.default is MISSING and each.name not in given:
            raise ModelError(f"{place}: {each.name} is missing")
    return kind(**given)
