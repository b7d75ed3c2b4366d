"""Experiments as values: named variants of a training, each with its parameters, budget and number of repeats."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from search.counting import amounts, counted
from search.errors import SearchError
from search.space.box import Box
from search.space.ranges import Choices, LogRange, Range, Value
from search.study.assignment import Budget, Options

VARIANT = "variant"
"""The parameter of a trial that says which variant it trains."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant: its name, its parameters, the budget of each of its trials, and how many there are.

    `options` is what its trials ask of the task besides; `group` is what variants have in common that are compared as
    one.
    """

    name: str
    params: dict[str, Value]
    budget: Budget
    repeats: int
    options: Options = field(default_factory=dict)
    group: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment: its kind's name and its variants, all with the same parameters by name.

    `paired` gives all variants the same seeds, one set for each repeat. `spanned` are parameters that Optuna and the
    dashboard know as a range, where they vary, and not as choices. Raises SearchError for variants that are none.
    """

    name: str
    variants: tuple[Variant, ...]
    paired: bool = True
    spanned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [variant.name for variant in self.variants]
        if not names or len(set(names)) < len(names):
            raise SearchError(f"the variants {names} cannot form an experiment: give at least one, and each name once")
        if any(variant.params.keys() != self.variants[0].params.keys() for variant in self.variants):
            raise SearchError(f"the variants of {self.name} must all name the same parameters")
        for variant in self.variants:
            for name, number in {**variant.budget, "repeats": variant.repeats}.items():
                if number < 1:
                    raise SearchError(f"{name} = {number} must be 1 or more")

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
        if name in self.spanned and len(numbers) == len(values) > 1 and min(numbers) > 0:
            return LogRange(name, min(numbers), max(numbers))
        return Choices(name, values)

    def __str__(self) -> str:
        budgets = dict.fromkeys(amounts(variant.budget) for variant in self.variants)
        return f"{counted(len(self.variants), 'variant')}, {counted(self.slots, 'trial')}, {'; '.join(budgets)}"
