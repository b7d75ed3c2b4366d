"""What a network predicts, in words: ages in years, or values in another unit or in none."""

from dataclasses import dataclass
from typing import Final

YEARS: Final = "years"

SMALL: Final = 0.01
"""Below it, the two or three decimals that suit years leave little of a number."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What labels, predictions and errors are of; `unit` is "" where they have none."""

    unit: str

    @property
    def is_age(self) -> bool:
        """Whether it is what the paper predicts, whose numbers may then stand beside ours."""
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
        around = "" if deviation is None else f" ± {decimal(deviation)}"
        return self.amount(f"{decimal(mean)}{around}")

    def shown(self, value: float) -> str:
        """Return a single prediction as text, with as many digits as one can make use of."""
        return f"{value:.1f}" if self.is_age else f"{value:.4g}"


def decimal(number: float, form: str = ".3f") -> str:
    """Return a number in that many decimals, or in three digits where it is too small for them."""
    if 0 < abs(number) < SMALL:
        return format(number, "+.3g" if form.startswith("+") else ".3g")
    return format(number, form)
