"""Checks of single arguments of a description: each raises one sentence that names the argument and its value."""

from model.errors import ModelError


def is_count(value: object) -> bool:
    """Whether `value` is a whole number of at least 1, and not a bool or a float that looks like one."""
    # bool is an int to Python; a network of True filters is a slip, not one filter.
    return type(value) is int and value >= 1


def require_count(name: str, value: object) -> None:
    """Raise ModelError unless `value` is a whole number of at least 1."""
    if not is_count(value):
        raise ModelError(f"{name} is {value!r}; it must be a whole number of at least 1")


def require_size(name: str, value: object) -> None:
    """Raise ModelError unless `value` is a whole number of at least 1, or a tuple of two."""
    if not (is_count(value) or (isinstance(value, tuple) and len(value) == 2 and all(map(is_count, value)))):
        raise ModelError(f"{name} is {value!r}; it must be a whole number of at least 1, or a tuple (height, width)")


def require_flag(name: str, value: object) -> None:
    """Raise ModelError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise ModelError(f"{name} is {value!r}; it must be True or False")


def require_rate(rate: object) -> None:
    """Raise ModelError unless `rate` is a number of at least 0 and below 1."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise ModelError(f"rate is {rate!r}; it must be a number of at least 0 and below 1")


def require_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    """Raise ModelError unless `value` is among the `known` names."""
    if value not in known:
        raise ModelError(f"{name} is {value!r}; it must be one of {', '.join(known)}")
