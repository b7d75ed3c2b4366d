"""The plans of stages: what each of a stage's slots is for. Another kind of stage is one more frozen value in `Plan`.

A plan is stored with its stage as JSON, and gives every slot its `Assignment` from the study's seed, the stage's number
and the slot alone, but where its sampler learns from trials. Workers, slots and leases know nothing of it.
Which stage gets which plan is decided in `search.study.stages`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator

from search.counting import amounts, counted
from search.space.box import Box
from search.space.enqueued import Wanted
from search.space.learning_samplers import Seen, SlotDraw, learned
from search.space.narrowing import FinishedTrial, Narrowing
from search.space.ranges import Value
from search.space.samplers import LEARNING, SamplerName
from search.space.score import MINIMIZED, Score
from search.space.seeds import shares, trial_seeds
from search.storage.documents import adapter
from search.study.assignment import Assignment, Budget, PruningRule
from search.study.variants import VARIANT, Experiment


@dataclass(frozen=True, slots=True)
class Sampled:
    """Every slot is a configuration drawn from `box`, which came about by `narrowing` (None: it is the study's own).

    The first slots have what is in `enqueued`, and draw the rest.
    """

    slots: int
    box: Box
    narrowing: Narrowing | None
    budget: Budget
    enqueued: tuple[Wanted, ...] = ()
    sampler: SamplerName = "random"
    pruning: PruningRule | None = None
    kind: Literal["sampled"] = "sampled"

    def assignment(self, seed: int, stage: int, slot: int, seen: Sequence[Seen] = ()) -> Assignment:
        """Return what the trial of `slot` is; a sampler that learns does so from the trials in `seen`."""
        seeds = trial_seeds(seed, stage, slot)
        if self.sampler in LEARNING:
            params = learned(self.sampler, self.box, SlotDraw(seed, stage, slot, self.slots), seen)
        else:
            params = self.box.at(shares(self.sampler, seed, stage, slot, len(self.box.ranges)))
        if slot < len(self.enqueued):
            params |= dict(self.enqueued[slot])
        return Assignment(params, self.box, seeds, self.budget, pruning=self.pruning)

    def __str__(self) -> str:
        return str(self.box)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration, the numbers of the trials that had it, and their mean score."""

    params: dict[str, Value]
    trials: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Finalists:
    """Every candidate is trained `repeats` times; all have the same seeds, one for each repeat, so they come in pairs.

    `box` holds all candidates. A round of all of them comes before the next one.
    """

    candidates: tuple[Candidate, ...]
    box: Box
    repeats: int
    budget: Budget
    kind: Literal["finalists"] = "finalists"

    @property
    def slots(self) -> int:
        """How many trials that takes."""
        return len(self.candidates) * self.repeats

    def place(self, slot: int) -> tuple[int, int]:
        """Return which candidate a slot trains, and in which repeat, both from 0."""
        repeat, candidate = divmod(slot, len(self.candidates))
        return candidate, repeat

    def assignment(self, seed: int, stage: int, slot: int) -> Assignment:
        """Return what the trial of `slot` is."""
        candidate, repeat = self.place(slot)
        params, seeds = self.candidates[candidate].params, trial_seeds(seed, stage, repeat)
        return Assignment(params, self.box, seeds, self.budget)

    def __str__(self) -> str:
        each = f"{counted(len(self.candidates), 'configuration')}, {counted(self.repeats, 'seed')} each"
        return ", ".join(filter(None, (each, amounts(self.budget))))


@dataclass(frozen=True, slots=True)
class Variants:
    """The trials of an experiment, each variant's after one another."""

    experiment: Experiment
    kind: Literal["variants"] = "variants"

    @property
    def slots(self) -> int:
        """How many trials that takes."""
        return self.experiment.slots

    @property
    def box(self) -> Box:
        """What the parameters of all variants are chosen from."""
        return self.experiment.box

    def assignment(self, seed: int, stage: int, slot: int) -> Assignment:
        """Return what the trial of `slot` is."""
        _, variant, repeat = next(islice(self.experiment.places(), slot, None))
        seeds = trial_seeds(seed, stage, repeat if self.experiment.paired else slot)
        params = {VARIANT: variant.name, **variant.params}
        return Assignment(params, self.box, seeds, variant.budget, repeat, variant.options)

    def __str__(self) -> str:
        return str(self.experiment)


Plan: TypeAlias = Annotated[Sampled | Finalists | Variants, Discriminator("kind")]


def plan_from_json(text: str) -> Plan:
    """Return the plan that `to_json` wrote as `text`; raise `pydantic.ValidationError` for any other text."""
    plan: Plan = adapter(Plan).validate_json(text)
    return plan


def candidates(finished: Iterable[FinishedTrial], count: int, score: Score = MINIMIZED) -> tuple[Candidate, ...]:
    """Return the best `count` distinct configurations by mean score, or all if they are fewer; the best first.

    Ties go to the configuration that comes first in `finished`.
    """
    by_params: dict[tuple[tuple[str, Value], ...], list[FinishedTrial]] = {}
    for trial in finished:
        by_params.setdefault(tuple(sorted(trial.params.items())), []).append(trial)
    return tuple(sorted(map(_candidate, by_params.values()), key=lambda one: score.loss(one.score))[:count])


def _candidate(trials: Sequence[FinishedTrial]) -> Candidate:
    mean = sum(trial.value for trial in trials) / len(trials)
    return Candidate(trials[0].params, tuple(trial.number for trial in trials), mean)
