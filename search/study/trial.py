"""One trial as a task sees it: what it is given, and what it may come to. The core knows no more of a training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from search.space.ranges import Value
from search.space.seeds import TrialSeeds

Measure: TypeAlias = float | tuple[float, ...]
"""What is measured besides the score: one number, or one for each step."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one trial is given.

    `number` is Optuna's. `budget` holds the numbers that are no parameters, by name. `options` is what a plan asks of
    the task besides, by name. `folder` is the trial's own, for files; None where none are kept. `prunes` says whether
    it may end early, by what it reports. `report(step, value)` stores a value on the way; steps are whole numbers, each
    reported once. `should_stop()` says whether to raise `TrialStopped`, as the worker was asked to stop or has lost the
    slot. `should_prune()` says, after a report, why the trial is to end early, or "".
    """

    number: int
    stage: int
    slot: int
    attempt: int
    params: Mapping[str, Value]
    seeds: TrialSeeds
    budget: Mapping[str, int | float]
    report: Callable[[int, float], None]
    should_stop: Callable[[], bool]
    should_prune: Callable[[], str]
    options: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    folder: Path | None = None
    prunes: bool = False
    final: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to: the score that ranks it, and what else was measured, by name.

    `files` are kept with the trial, by name; so are those that it left in its folder.
    """

    score: float
    measures: Mapping[str, Measure] = field(default_factory=lambda: MappingProxyType({}))
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Diverged:
    """A trial whose training left the finite numbers: a finished trial without a value."""

    reason: str
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Pruned:
    """A trial that was ended early: a finished trial without a value; why, and after how many steps."""

    reason: str
    steps: int
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


Ending: TypeAlias = Outcome | Diverged | Pruned
"""How a trial can finish. Those without a value are PRUNED in Optuna. Any exception is a failed attempt."""

RunTrial: TypeAlias = Callable[[Trial], Ending]
"""What runs one trial; it raises `TrialStopped` where `should_stop()` says so."""
