"""What ranks trials: a score, with its name, its unit and its direction."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from search.counting import decimal

Direction: TypeAlias = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True)
class Score:
    """A score by its name and its unit ("" for none), and which way is better."""

    name: str = "value"
    unit: str = ""
    direction: Direction = "minimize"

    @property
    def label(self) -> str:
        """The title of a column or an axis, with the unit if there is one."""
        return self.labelled(self.name)

    @property
    def best(self) -> str:
        """What the best of several scores is among them."""
        return "lowest" if self.direction == "minimize" else "highest"

    def labelled(self, what: str) -> str:
        """Return another title with the unit, of what is measured in the same one."""
        return f"{what} ({self.unit})" if self.unit else what

    def loss(self, value: float) -> float:
        """Return a number that is lower for a better score; twice, it is the score again."""
        return value if self.direction == "minimize" else -value

    def shown(self, value: float, error: float | None = None) -> str:
        """Return a score as text, with its standard error if it has one, and the unit."""
        around = "" if error is None else f" ± {decimal(error, like=value)}"
        return f"{decimal(value)}{around} {self.unit}".rstrip()


MINIMIZED: Final = Score()
"""What is minimised, without a name or a unit of its own."""
