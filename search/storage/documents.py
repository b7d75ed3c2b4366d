"""Frozen values as JSON text and back, the form in which the storage keeps them."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""Return what reads and writes values of a kind; to make one takes hundreds of times as long as to use it."""


def to_json(value: Any) -> str:
    """Return the JSON text of a frozen dataclass; mappings keep their order."""
    return json.dumps(adapter(type(value)).dump_python(value, mode="json"), allow_nan=False)


def from_json(kind: type[T], text: str) -> T:
    """Return the `kind` that `to_json` wrote as `text`; raise `pydantic.ValidationError` for any other text."""
    value: T = adapter(kind).validate_json(text)
    return value
