"""How a setting's value is read from text, a table or a number: the types of settings, and what each refuses."""

import ipaddress
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat

from search.space.pairs import pairs
from search.space.parameters import number_or_word


def split_at(separator: str) -> BeforeValidator:
    """Accept text such as "50,50" for a tuple, as flags and environment variables give it."""

    def parts(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return (value,)  # as one number is a list of one on the command line
        return tuple(value.split(separator)) if isinstance(value, str) else value

    return BeforeValidator(parts)


def _ends(value: Any) -> Any:
    ends = tuple(value.split(":")) if isinstance(value, str) else value
    if isinstance(ends, tuple | list) and len(ends) != 2:
        raise ValueError("give its two ends, as in 1e-5:1e-3")
    return ends


def _or_none(value: Any) -> Any:
    if value == "":
        raise ValueError("it is empty; leave it out, or write none")
    return None if value == "none" else value


def _table(value: Any) -> Any:
    """Return what text in JSON says, as a program writes a table; other text is as it was."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it begins as JSON, and is none: {error}") from error


def _budget(given: Any) -> Any:
    """Accept text such as "epochs=5,subsample=0.5" for a table of numbers."""
    value = _table(given)
    table = value if value is None or not isinstance(value, str) else pairs(value) if value != "none" else None
    if not isinstance(table, dict | None):
        raise ValueError("write a table of numbers, or text such as epochs=5")  # noqa: TRY004 - pydantic wants it
    numbers = {name: number_or_word(text) if isinstance(text, str) else text for name, text in (table or {}).items()}
    for name, number in numbers.items():
        if type(number) not in (int, float):
            raise ValueError(f"{name} is {number!r}; give a number")
    return numbers or None


def no_truth(value: Any) -> Any:
    """Refuse true and false, which are numbers to Python."""
    if isinstance(value, bool):
        raise ValueError("it is true or false; give a number")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def printable(name: str) -> str:
    """Refuse a text with control characters."""
    if any(ord(each) < 32 or ord(each) == 127 for each in name):
        raise ValueError("it has a control character in it; choose a name of letters, digits and signs")
    return name


def host_name(given: str) -> str:
    """Return the name or address of a host as browsers send it; refuse one with a port."""
    name = given.strip().removesuffix(".")
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        if not re.fullmatch(r"[a-z0-9._-]+", name, re.IGNORECASE):
            # As browsers send it: the guard compares it without the port.
            raise ValueError("it is no host name; write one without a port, as in ages.example.org") from None
    return name


def url_path(given: str) -> str:
    """Return the path of a URL, with a slash before it and none behind."""
    path = "/" + given.strip("/")
    if not re.fullmatch(r"/|(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+", path):
        raise ValueError("it is no path of a web address; write one like /hpo, of letters, digits and - . _ ~")
    return path


HostName = Annotated[str, AfterValidator(host_name)]
Count = Annotated[int, Field(gt=0, le=2**31 - 1), BeforeValidator(no_truth)]
"""As many as TensorFlow and databases count to."""

Bounds = Annotated[tuple[PositiveFloat, PositiveFloat], BeforeValidator(_ends)]
NoneAsText = BeforeValidator(_or_none)
Budget = Annotated[dict[str, int | float] | None, BeforeValidator(_budget)]


def later_bounds(value: Any) -> Any:
    """Accept text such as "lr=1e-5:1e-3" for a table of lowest and highest values."""
    table = pairs(value) if isinstance(value, str) else value
    if not isinstance(table, dict) or not table:
        raise ValueError("write a table of lowest and highest values, as in learning_rate = [1e-5, 1e-3]")
    return {name: _two_numbers(name, bounds) for name, bounds in table.items()}


def _two_numbers(name: str, bounds: Any) -> tuple[float, float]:
    given = tuple(map(number_or_word, bounds.split(":"))) if isinstance(bounds, str) else bounds
    if not isinstance(given, tuple | list) or len(given) != 2 or any(type(end) not in (int, float) for end in given):
        raise ValueError(f"{name} is {bounds!r}; give its lowest and its highest value, as in 1e-5:1e-3")
    return given[0], given[1]


def read_by(reader: Callable[[Any], Any]) -> BeforeValidator:
    """Read a value by `reader`, unless it is none."""
    return BeforeValidator(lambda value: None if value in (None, "none") else reader(_table(value)))
