"""What a study is to do: everything that decides its results, as one frozen value that is stored with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from search.counting import amounts
from search.errors import SearchError
from search.space.box import Box
from search.space.enqueued import Wanted, require_in
from search.space.samplers import SamplerName, require_samplable
from search.study.assignment import Budget, PruningRule, cost_of
from search.study.task import TaskSpec
from search.study.variants import Experiment

SHARED: Final = ("seed", "trials", "sampler", "pruning", "max_attempts")
"""Settings that a study keeps as they are, under their own names, whatever its task."""

RESERVED: Final = frozenset(
    {"stage", "slot", "attempt", "token", "worker", "device", "repeat", "seeds", "seconds", "reason", "pruned_after"}
)
"""What a trial's attributes are called that are the core's own; a budget or a measure has another name."""


@dataclass(frozen=True, slots=True)
class FinalistBudget:
    """How many configurations are looked at again, with how many seeds each, and the budget of each such trial."""

    configurations: int
    repeats: int
    budget: Budget

    def __post_init__(self) -> None:
        _at_least("finalists", self.configurations, 1)
        _at_least("finalist_repeats", self.repeats, 2)  # one alone has no error
        require_budget(self.budget, "finalist_")

    def __str__(self) -> str:
        cost = f" ({amounts(self.budget)})" if self.budget else ""
        return f"{self.configurations} × {self.repeats}{cost}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySpec:
    """Everything that decides a study's results, and so may not change while it lasts.

    `trials` has the number of each stage, `box` the ranges of the first, `ranges` those of all later ones
    if they shall not follow from the trials, `finalists` what comes after them (None: nothing), `budget` that of a
    trial, `enqueued` what the first slots shall try. If there is an `experiment`, its trials are the study's only
    stage.
    """

    seed: int
    task: TaskSpec
    box: Box
    trials: tuple[int, ...] = (50, 50)
    budget: Budget = field(default_factory=dict)
    ranges: Box | None = None
    finalists: FinalistBudget | None = None
    experiment: Experiment | None = None
    enqueued: tuple[Wanted, ...] = ()
    sampler: SamplerName = "random"
    pruning: PruningRule | Literal["none"] = "none"
    max_attempts: int = 3

    def __post_init__(self) -> None:
        _at_least("max_attempts", self.max_attempts, 1)
        require_budget(self.budget)
        _at_least("seed", self.seed, 0)
        if not self.trials or min(self.trials) < 1:
            raise SearchError(
                f"trials = {','.join(map(str, self.trials))} must name at least one trial for each stage, as in 50,50"
            )
        if self.ranges is not None and _kinds(self.ranges) != _kinds(self.box):
            raise SearchError(f"ranges = {self.ranges} must have the names and kinds of the first box: {self.box}")
        require_in(self.box, self.enqueued, self.trials[0])
        require_samplable(self.sampler, self.box)

    @property
    def stage_sizes(self) -> tuple[int, ...]:
        """How many slots each stage has; the finalists may turn out to be fewer once their stage is open."""
        if self.finalists is None:
            return self.trials
        return (*self.trials, min(self.finalists.configurations, sum(self.trials)) * self.finalists.repeats)

    @property
    def slot_costs(self) -> tuple[float, ...]:
        """What the trial of each slot costs, stage after stage: a trial's time goes by the product of its budget."""
        if self.experiment is not None:
            return tuple(cost_of(variant.budget) for _, variant, _ in self.experiment.places())
        costs = [cost_of(self.budget)] * sum(self.trials)
        if self.finalists is not None:
            costs += [cost_of(self.finalists.budget)] * (sum(self.stage_sizes) - len(costs))
        return tuple(costs)

    def core_settings(self) -> dict[str, Any]:
        """Return the settings, by name, that make the part of it that every task has."""
        shared = {name: getattr(self, name) for name in SHARED}
        if self.finalists is None:
            return {**shared, "finalists": 0}
        return {**shared, "finalists": self.finalists.configurations, "finalist_repeats": self.finalists.repeats}

    def differences(self, asked: "StudySpec") -> Mapping[str, tuple[object, object]]:
        """Return by name what `asked` has otherwise: this one's value, and the other's."""
        ours, theirs = _parts(self), _parts(asked)
        return {
            name: (ours.get(name), theirs.get(name))
            for name in {**ours, **theirs}
            if ours.get(name) != theirs.get(name)
        }


def require_budget(budget: Budget, prefix: str = "") -> None:
    """Raise SearchError for a number that is not above 0, or a name that a trial's attributes have already."""
    for name, number in budget.items():
        if name in RESERVED:
            raise SearchError(f"the budget has {name!r}, which every trial has of its own; give it another name")
        if not number > 0:
            least = "1 or more" if isinstance(number, int) else "above 0"
            raise SearchError(f"{prefix}{name} = {number} must be {least}")


def _parts(spec: StudySpec) -> dict[str, object]:
    """Return what a study was created with, by the names of the settings."""
    own = {name: getattr(spec, name) for name in ("seed", "trials", "box", "ranges", "finalists", "experiment")}
    own |= {name: getattr(spec, name) for name in ("enqueued", "sampler", "pruning", "max_attempts")}
    files = {name: file.digest for name, file in spec.task.files.items()}
    return {
        "task": spec.task.kind, **files, **spec.task.settings, **spec.budget, **own, "unit": spec.task.score.unit,
    }  # fmt: skip


def _kinds(box: Box) -> list[tuple[str, str]]:
    return [(searched.name, searched.kind) for searched in box.ranges]


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise SearchError(f"{name} = {value} must be {least} or more")
