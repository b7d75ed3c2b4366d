"""What `agesearch check` finds: whether a slot's trial repeats, and what usually keeps it from that."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from search.space.seeds import trial_seeds, uniforms
from search.study.trial import Ending, Measure, Outcome

FRESH: Final = "in another fresh process"
THIRD: Final = "as the third trial of one process"
SHOWN: Final = 5
"""The most differences that are shown of one repeat."""

COSTS: Final = {
    "start_seconds": "a process starts in {:.2f} s, once a worker",
    "trial_ms": "a trial costs {:.2f} ms outside of the objective, and what the storage takes",
}
"""How each cost is shown."""


@dataclass(frozen=True, slots=True)
class Course:
    """All that one trial came to: how it ended, its value and measures, and what it reported, step by step."""

    ended: str
    value: float | None = None
    measures: Mapping[str, Measure] = field(default_factory=lambda: MappingProxyType({}))
    reported: Sequence[tuple[int, float]] = ()

    def numbers(self) -> dict[str, float]:
        """Return every number by what it is, in the order in which they came to be."""
        found = {f"what step {step} reported": value for step, value in self.reported}
        found |= {} if self.value is None else {"the value": self.value}
        for name, measure in self.measures.items():
            parts = measure if isinstance(measure, tuple) else (measure,)
            found |= {f"{name}{f'[{place}]' if len(parts) > 1 else ''}": part for place, part in enumerate(parts)}
        return found


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same slot once more: how, and in what it came to something else; nothing, where it is equal to the bit."""

    how: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has found.

    `space` is the table that the program asks for, "" if it did not say; `remarks` are for people. `costs` are what a
    trial costs outside of what it trains, by name.
    """

    course: Course
    repeats: tuple[Repeat, ...]
    space: str = ""
    remarks: tuple[str, ...] = ()
    costs: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def equal(self) -> bool:
        """Whether every repeat was equal to the bit."""
        return not any(repeat.differences for repeat in self.repeats)

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name; a number that there is none of is None."""
        repeats = [{"how": repeat.how, "differences": list(repeat.differences)} for repeat in self.repeats]
        value = self.course.value
        return {
            "space": self.space,
            "ended": self.course.ended,
            "value": value,
            "equal": self.equal,
            "repeats": repeats,
            "causes": list(self.causes()),
            "remarks": list(self.remarks),
            "costs": dict(self.costs),
        }

    def lines(self) -> list[str]:
        """Return what people read of it."""
        course = self.course
        found = [*self.space.splitlines(), ""] if self.space else []
        found.append(f"the value is {course.value!r}" if course.value is not None else f"no value: {course.ended}")
        for repeat in self.repeats:
            found.append(f"{repeat.how}: {'different' if repeat.differences else 'equal to the bit'}")
            found += [f"  {difference}" for difference in repeat.differences]
        found += [*self.causes(), *(COSTS[name].format(cost) for name, cost in self.costs.items())]
        return found

    def causes(self) -> tuple[str, ...]:
        """Say what usually causes the differences that there are."""
        by_how = {repeat.how: bool(repeat.differences) for repeat in self.repeats}
        if by_how.get(FRESH):
            return (
                "usual causes: a generator that is not seeded from trial.seed (random, NumPy and the framework each "
                "have their own), threads that add in another order (try threads = 1), a GPU, the order of a set, the "
                "clock, or a file outside of trial.folder",
            )
        if by_how.get(THIRD):
            return (
                "usual causes: something is kept from trial to trial: a generator that is seeded once, a global model "
                "or cache, data that a trial changes, or a file outside of trial.folder",
            )
        return ()


def course_of(ending: Ending, reported: Sequence[tuple[int, float]]) -> Course:
    """Return what a trial came to, with what it reported."""
    if isinstance(ending, Outcome):
        return Course("it has a value", ending.score, ending.measures, tuple(reported))
    return Course(f"{type(ending).__name__.lower()}: {ending.reason}", reported=tuple(reported))


def repeated(how: str, first: Course, again: Course) -> Repeat:
    """Return the same slot once more, compared with the first time, to the bit."""
    one, other = first.numbers(), again.numbers()
    said = [] if first.ended == again.ended else [f"{first.ended}, and then {again.ended}"]
    said += [f"{name} is there only once" for name in sorted(one.keys() ^ other.keys())]
    said += [
        f"{name} is {value!r} and {other[name]!r}{_apart(value, other[name])}"
        for name, value in one.items()
        if name in other and not _same(value, other[name])
    ]
    more = [f"and {len(said) - SHOWN} differences more"] if len(said) > SHOWN else []
    return Repeat(how, (*said[:SHOWN], *more))


def shares_of(seed: int, slot: int, count: int) -> tuple[float, ...]:
    """Return where the parameters of a slot of the first stage lie in their ranges, 0 to 1, as `random` draws them."""
    return uniforms(trial_seeds(seed, 1, slot).parameters, count)


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _apart(one: float, other: float) -> str:
    apart = abs(one - other)
    return f", {apart:.3g} apart" if math.isfinite(apart) else ""
