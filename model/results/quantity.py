"""What a network predicts, in words: ages in years, or values in another unit or in none."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

YEARS: Final = "years"

DIGITS: Final = 3
"""What is shown of an error at least, however small it is next to years."""

MOST_DIGITS: Final = 7
"""As many as float32 has."""

TINY: Final = 1e-4
"""Below it, digits are easier to read with an exponent than behind so many zeros."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What labels, predictions and errors are of; `unit` is "" where they have none."""

    unit: str

    @property
    def is_age(self) -> bool:
        """Whether it is what the paper predicts, whose numbers may then stand next to ours."""
        return self.unit == YEARS

    @property
    def noun(self) -> str:
        """What a single one is called."""
        return "age" if self.is_age else "value"

    @property
    def mae(self) -> str:
        """The name of an axis of errors."""
        return self.label("mean absolute error")

    def label(self, what: str) -> str:
        """Return the name of an axis or a column, with the unit where there is one."""
        return f"{what} ({self.unit})" if self.unit else what

    def amount(self, number: str) -> str:
        """Return a number with its unit."""
        return f"{number} {self.unit}".rstrip()

    def error(self, mean: float, deviation: float | None = None) -> str:
        """Return an error with its standard error, where it has one, and the unit."""
        around = "" if deviation is None else f" ± {decimal(deviation, like=mean)}"
        return self.amount(f"{decimal(mean)}{around}")

    def shown(self, value: float) -> str:
        """Return a single prediction as text: an age in tenths, anything else in all digits that float32 has."""
        return f"{value:.1f}" if self.is_age else np.format_float_positional(np.float32(value), trim="-")


def decimal(number: float, form: str = ".3f", like: float | None = None) -> str:
    """Return a number in that many decimals, or in as many more as it takes to show `DIGITS` of it.

    With `like`, as many as show those of that number, next to which it stands. The search has the same rule in
    words of its own, as neither of the two rooms knows the other.
    """
    scale = abs(number if like is None else like)
    sign, least = form[:-1].split(".")
    if 0 < scale < TINY:
        return format(number, f"{sign}.{DIGITS}g")
    exponent = math.floor(math.log10(scale)) if 0 < scale < math.inf else 0
    # At least so many digits, and none behind the point that float32 does not have.
    decimals = min(max(int(least), DIGITS - 1 - exponent), max(0, MOST_DIGITS - 1 - exponent))
    return format(number, f"{sign}.{decimals}f")
