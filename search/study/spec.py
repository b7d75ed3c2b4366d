"""What a study is to do: everything that decides its results, as one frozen value that is stored with it."""

from dataclasses import dataclass
from typing import Literal

from search.counting import budget
from search.errors import SearchError
from search.space.box import FIRST_BOX, Box
from search.space.enqueued import Wanted, require_in
from search.space.samplers import SamplerName, require_samplable
from search.study.assignment import PruningRule
from search.study.variants import Experiment


@dataclass(frozen=True, slots=True)
class FinalistBudget:
    """How many configurations are looked at again, with how many seeds each, and the budget of each such trial."""

    configurations: int
    repeats: int
    images: int
    epochs: int

    def __post_init__(self) -> None:
        _at_least("finalists", self.configurations, 1)
        _at_least("finalist_repeats", self.repeats, 2)  # one alone has no error
        _at_least("finalist_images", self.images, 1)
        _at_least("finalist_epochs", self.epochs, 1)

    def __str__(self) -> str:
        return f"{self.configurations} × {self.repeats} ({budget(self.images, self.epochs)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySpec:
    """Everything that decides a study's results, and so may not change while it lasts.

    `trials` has the number of each stage, `box` the ranges of the first, `ranges` those of all later ones
    if they shall not follow from the trials, `finalists` what comes after them (None: nothing), `dataset` the dataset's
    digest, `images` a trial's training images, `network` the user's own as JSON (None: the paper's), `enqueued` what
    the first slots shall try. Where there is an `experiment`, its trials are the study's only stage.
    """

    seed: int
    dataset: str
    precision: str
    trials: tuple[int, ...] = (50, 50)
    box: Box = FIRST_BOX
    ranges: Box | None = None
    finalists: FinalistBudget | None = None
    experiment: Experiment | None = None
    network: str | None = None
    enqueued: tuple[Wanted, ...] = ()
    recipe: str = "default"
    sampler: SamplerName = "random"
    pruning: PruningRule | Literal["none"] = "none"
    pruning_images: int = 125
    threads: int = 1
    images: int = 500
    epochs: int = 5
    batch_size: int = 32
    max_attempts: int = 3
    unit: str = "years"

    def __post_init__(self) -> None:
        for name in ("threads", "images", "epochs", "batch_size", "max_attempts", "pruning_images"):
            _at_least(name, getattr(self, name), 1)
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
    def slot_costs(self) -> tuple[int, ...]:
        """Images × epochs of the trial of each slot, stage after stage: a trial's time goes by them."""
        if self.experiment is not None:
            return tuple(variant.images * variant.epochs for _, variant, _ in self.experiment.places())
        costs = [self.images * self.epochs] * sum(self.trials)
        if self.finalists is not None:
            costs += [self.finalists.images * self.finalists.epochs] * (sum(self.stage_sizes) - len(costs))
        return tuple(costs)


def _kinds(box: Box) -> list[tuple[str, str]]:
    return [(each.name, each.kind) for each in box.ranges]


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise SearchError(f"{name} = {value} must be {least} or more")
