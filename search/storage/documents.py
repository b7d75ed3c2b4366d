"""Frozen values as JSON text and back, the form in which the storage keeps them."""

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def to_json(value: Any) -> str:
    """Return the canonical JSON text of a frozen dataclass: the same value always gives the same text."""
    return json.dumps(TypeAdapter(type(value)).dump_python(value, mode="json"), sort_keys=True, allow_nan=False)


def from_json(kind: type[T], text: str) -> T:
    """Return the `kind` that `to_json` wrote as `text`; raise `pydantic.ValidationError` for any other text."""
    value: T = TypeAdapter(kind).validate_json(text)
    return value
