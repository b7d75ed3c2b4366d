"""What a network predicts, in words: ages in years, or values in another unit or in none."""

from dataclasses import dataclass
from typing import Final

YEARS: Final = "years"


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

    def shown(self, value: float) -> str:
        """Return a single prediction as text, with as many digits as one can make use of."""
        return f"{value:.1f}" if self.is_age else f"{value:.4g}"
