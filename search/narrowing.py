"""How the box of the next stage follows from the finished trials of the last one."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from search.space import Box, LogRange

KEPT = 10
"""The paper narrowed to the ranges of its ten best trials."""

RULE = (
    f"the ranges of the {KEPT} best finished trials by score, or of the best half where that is fewer, "
    "but of two at least; widened to whole decades inside the old box"
)
GIVEN = "the ranges given in the study's settings"


@dataclass(frozen=True, slots=True)
class FinishedTrial:
    """A trial that ended with a value: its slot, its number in Optuna, its score, its parameters."""

    slot: int
    number: int
    value: float
    params: dict[str, float]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A step from one stage's box to the next: the two boxes, the rule, why it gave this, and from which trials."""

    old: Box
    new: Box
    rule: str
    reason: str
    best: tuple[FinishedTrial, ...]


def narrow(box: Box, finished: Sequence[FinishedTrial]) -> Narrowing:
    """Apply `RULE` to the finished trials of the stage that sampled from `box`; ties go to the lower slot."""
    ranked = sorted(finished, key=lambda trial: (trial.value, trial.slot))
    best = tuple(ranked[: max(2, min(KEPT, len(ranked) // 2))])
    if len(best) < 2:
        reason = f"the box stays: {len(ranked)} of its trials finished with a value, and a range needs two"
        return Narrowing(box, box, RULE, reason, best)
    new = Box(tuple(_narrow_range(each, [trial.params[each.name] for trial in best]) for each in box.ranges))
    return Narrowing(box, new, RULE, _reason(box, best, len(ranked)), best)


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


def _narrow_range(old: LogRange, values: Sequence[float]) -> LogRange:
    least, most = min(values), max(values)
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
    spans = (
        f"{name} {min(trial.params[name] for trial in best):.3g} to {max(trial.params[name] for trial in best):.3g}"
        for name in box.names
    )
    return f"the {len(best)} best of {finished} finished trials span {', '.join(spans)}"


def _line(trial: FinishedTrial, box: Box) -> str:
    params = ", ".join(f"{name} {trial.params[name]:.3g}" for name in box.names)
    return f"trial {trial.number} (slot {trial.slot}): score {trial.value:.3f}, {params}"
