"""Numbers in words: how many there are of something, and how many decimals a number is shown with."""

import math
from collections.abc import Mapping
from typing import Final

DIGITS: Final = 3
"""What is shown of a score at least, however small it is."""

MOST_DIGITS: Final = 7
"""As many as float32 has."""

TINY: Final = 1e-4
"""Below it, digits are easier to read with an exponent than behind so many zeros."""


def counted(count: int, noun: str) -> str:
    """Return how many there are, as in "1 trial" and "2 trials"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def amounts(budget: Mapping[str, float]) -> str:
    """Return a budget in words, as in "500 images, 1 epoch"."""
    return ", ".join(f"{value:g} {name.removesuffix('s') if value == 1 else name}" for name, value in budget.items())


def decimal(number: float, form: str = ".3f", like: float | None = None) -> str:
    """Return a number in that many decimals, or in as many more as it takes to show `DIGITS` of it.

    With `like`, as many as show those of that number, next to which it stands.
    """
    scale = abs(number if like is None else like)
    sign, least = form[:-1].split(".")
    if 0 < scale < TINY:
        return format(number, f"{sign}.{DIGITS}g")
    exponent = math.floor(math.log10(scale)) if 0 < scale < math.inf else 0
    # At least so many digits, and none behind the point that float32 does not have.
    decimals = min(max(int(least), DIGITS - 1 - exponent), max(0, MOST_DIGITS - 1 - exponent))
    return format(number, f"{sign}.{decimals}f")
