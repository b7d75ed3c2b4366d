"""Experiments as values: named variants of a training, each with its parameters, budget and number of repeats."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from data.counting import counted
from search.counting import budget
from search.errors import SearchError
from search.space.box import Box
from search.space.ranges import Choices, LogRange, Range, Value

Curve: TypeAlias = Literal["none", "training", "validation"]
"""The curves that a trial keeps: none beside the training errors that every trial reports on its way; that of training,
whose lowest is the trial's score; or both, with the validation error reported after every epoch."""

TRAINING_CURVE = "training_curve"
"""The measure with the training error of each epoch; Optuna's own intermediate values are what was reported."""

VARIANT = "variant"
"""The parameter of a trial that says which variant it trains."""

SPANNED = ("learning_rate", "l2")
"""Parameters that Optuna and the dashboard know as a range, where they vary, and not as choices."""


BEST = "best.keras"


@dataclass(frozen=True, slots=True)
class Keeping:
    """The networks that a trial keeps as files: those after some epochs, and the best by validation up to one.

    A trial that keeps the best keeps the curve of validation. None by default.
    """

    after: tuple[int, ...] = ()
    best_until: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files."""
        return (*dict.fromkeys(map(file_after, self.after)), *((BEST,) if self.best_until else ()))


NONE_KEPT = Keeping()


def file_after(epoch: int) -> str:
    """Return the name of the file with the network as it was after an epoch."""
    return f"epoch-{epoch}.keras"


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant: its name, its parameters, the budget of each of its trials, and how many there are.

    `group` is what variants have in common that are compared as one, `keeping` the networks that its trials keep.
    """

    name: str
    params: dict[str, Value]
    images: int
    epochs: int
    repeats: int
    curve: Curve = "validation"
    group: str = ""
    keeping: Keeping = NONE_KEPT


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment: its kind's name and its variants, all with the same parameters by name.

    `paired` gives all variants the same seeds, one set for each repeat. Raises SearchError for variants that are none.
    """

    name: str
    variants: tuple[Variant, ...]
    paired: bool = True

    def __post_init__(self) -> None:
        names = [variant.name for variant in self.variants]
        if not names or len(set(names)) < len(names):
            raise SearchError(f"the variants {names} cannot form an experiment: give at least one, and each name once")
        if any(variant.params.keys() != self.variants[0].params.keys() for variant in self.variants):
            raise SearchError(f"the variants of {self.name} must all name the same parameters")
        for variant in self.variants:
            for name in ("images", "epochs", "repeats"):
                if getattr(variant, name) < 1:
                    raise SearchError(f"{name} = {getattr(variant, name)} must be 1 or more")

    @property
    def slots(self) -> int:
        """How many trials it takes."""
        return sum(variant.repeats for variant in self.variants)

    @property
    def box(self) -> Box:
        """What its trials' parameters are chosen from, the variants' names first."""
        names = Choices(VARIANT, tuple(variant.name for variant in self.variants))
        return Box((names, *(self._range(name) for name in self.variants[0].params)))

    def places(self) -> Iterator[tuple[int, Variant, int]]:
        """Go through the slots: each one's number, variant and repeat, both from 0; a variant's repeats come together.

        So a worker compiles a variant's network once.
        """
        slot = 0
        for variant in self.variants:
            for repeat in range(variant.repeats):
                yield slot, variant, repeat
                slot += 1

    def _range(self, name: str) -> Range:
        values = tuple(dict.fromkeys(variant.params[name] for variant in self.variants))
        numbers = [value for value in values if isinstance(value, float)]
        if name in SPANNED and len(numbers) == len(values) > 1 and min(numbers) > 0:
            return LogRange(name, min(numbers), max(numbers))
        return Choices(name, values)

    def __str__(self) -> str:
        budgets = dict.fromkeys(budget(each.images, each.epochs) for each in self.variants)
        return f"{counted(len(self.variants), 'variant')}, {counted(self.slots, 'trial')}, {'; '.join(budgets)}"
