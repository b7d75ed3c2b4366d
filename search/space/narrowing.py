"""How the box of the next stage follows from the finished trials of the last one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from search.counting import decimal
from search.space.box import Box
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange, Range, Value, text_of
from search.space.score import MINIMIZED, Score

KEPT = 10
"""The paper narrowed to the ranges of its ten best trials."""

RULE = (
    f"the span of the {KEPT} best finished trials by score (or of the best half, if that is fewer, but of two at "
    "least; pruned and diverged trials rank last and are never used), widened within the old box to whole decades, or "
    "to whole tenths of a linear range, or of a logarithmic one of whole numbers; choices stay"
)
GIVEN = "the ranges given in the study's settings"


@dataclass(frozen=True, slots=True)
class FinishedTrial:
    """A trial that ended with a value: its slot, its number in Optuna, its score, its parameters."""

    slot: int
    number: int
    value: float
    params: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A step from one stage's box to the next: the two boxes, the rule, why it gave this, and from which trials."""

    old: Box
    new: Box
    rule: str
    reason: str
    best: tuple[FinishedTrial, ...]


def narrow(box: Box, finished: Sequence[FinishedTrial], without: int = 0, score: Score = MINIMIZED) -> Narrowing:
    """Apply `RULE` to the finished trials of the stage that sampled from `box`; ties go to the lower slot.

    `without` further trials have finished without a score, as they diverged or were pruned.
    """
    ranked = sorted(finished, key=lambda trial: (score.loss(trial.value), trial.slot))
    best = tuple(ranked[: max(2, min(KEPT, (len(ranked) + without) // 2))])
    if len(best) < 2:
        reason = f"the box stays: {len(ranked)} of its trials finished with a value, and a range needs two"
        return Narrowing(box, box, RULE, reason, best)
    new = Box(tuple(_narrowed(each, [trial.params[each.name] for trial in best]) for each in box.ranges))
    return Narrowing(box, new, RULE, _reason(box, best, len(ranked) + without) + _note(without), best)


def override(box: Box, given: Box) -> Narrowing:
    """Return the step to a box that the user has chosen."""
    return Narrowing(box, given, GIVEN, "no trial was asked", ())


def explain(narrowing: Narrowing) -> str:
    """Return the step in plain text, a fact a line: the boxes, the rule, the reason, the trials."""
    lines = [
        f"from   {narrowing.old}",
        f"to     {narrowing.new}",
        f"rule   {narrowing.rule}",
        f"reason {narrowing.reason}",
    ]
    return "\n".join(lines + [f"       {_line(trial, narrowing.old)}" for trial in narrowing.best])


def _narrowed(old: Range, values: Sequence[Value]) -> Range:
    if isinstance(old, Choices):
        return old
    numbers = [value for value in values if not isinstance(value, str)]
    least, most = min(numbers), max(numbers)
    match old:
        case LogRange():
            return _to_decades(old, least, most)
        case LinearRange():
            low, high = _on_steps(old, *_to_tenths(old.low, old.high, least, most))
            return replace(old, low=low, high=high)
        case IntegerRange(log=True):
            low, high = _to_tenths(math.log(old.low), math.log(old.high), math.log(least), math.log(most))
            # The rounding takes back what exp(log(x)) adds to x.
            return replace(old, low=math.floor(round(math.exp(low), 9)), high=math.ceil(round(math.exp(high), 9)))
        case IntegerRange():
            low, high = _on_steps(old, *_to_tenths(old.low, old.high, least, most))
            return replace(old, low=math.floor(low), high=math.ceil(high))


def _to_tenths(bottom: float, top: float, least: float, most: float) -> tuple[float, float]:
    """Return the bounds nearest to two numbers, outwards, among those that divide bottom to top in ten."""
    marks = [bottom + (top - bottom) * tenth / 10 for tenth in range(10)] + [top]
    first = max(place for place, mark in enumerate(marks) if mark <= least)
    last = min(place for place, mark in enumerate(marks) if mark >= most)
    if first == last:  # all of them lie exactly on one mark
        first, last = max(first - 1, 0), min(last + 1, 10)
    return marks[first], marks[last]


def _on_steps(old: LinearRange | IntegerRange, low: float, high: float) -> tuple[float, float]:
    """Return bounds moved outwards to the nearest steps of the old range, if it has any."""
    if not old.step or old.step == 1:
        return low, high
    first, last = math.floor((low - old.low) / old.step + 1e-9), math.ceil((high - old.low) / old.step - 1e-9)
    return old.low + first * old.step, min(old.low + last * old.step, old.high)


def _to_decades(old: LogRange, least: float, most: float) -> LogRange:
    bottom, top = _decade(least), _decade(most)
    if most > float(f"1e{top}"):
        top += 1
    if bottom == top:  # all of them lie exactly on one power of ten
        bottom, top = bottom - 1, top + 1
    return LogRange(old.name, max(old.low, float(f"1e{bottom}")), min(old.high, float(f"1e{top}")))


def _decade(value: float) -> int:
    """Return the exponent of the greatest power of ten not above `value`; log10 is off by one next to a power."""
    return Decimal(str(value)).adjusted()


def _reason(box: Box, best: Sequence[FinishedTrial], finished: int) -> str:
    spans = (_span(each, [trial.params[each.name] for trial in best]) for each in box.ranges)
    return f"the {len(best)} best of {finished} finished trials span {', '.join(spans)}"


def _note(without: int) -> str:
    return f"; {without} of them have no score, as they were pruned or diverged" if without else ""


def _span(searched: Range, values: Sequence[Value]) -> str:
    if isinstance(searched, Choices):
        return f"{searched.name} {' | '.join(str(each) for each in searched.values if each in values)}"
    numbers = [value for value in values if not isinstance(value, str)]
    return f"{searched.name} {min(numbers):.3g} to {max(numbers):.3g}"


def _line(trial: FinishedTrial, box: Box) -> str:
    values = ((name, trial.params[name]) for name in box.names)
    params = ", ".join(f"{name} {text_of(value)}" for name, value in values)
    return f"trial {trial.number} (slot {trial.slot}): score {decimal(trial.value)}, {params}"
