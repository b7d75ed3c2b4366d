"""The samplers that learn from trials: Optuna's TPE and Gaussian process, and CMA-ES (Hansen & Ostermeier, 2001).

Each is a function of the study's seed, the stage, the slot and the trials seen, and keeps nothing between two slots.

Optuna's own way, one sampler for a whole study, ends with its first narrowing: a sampler looks for the distributions
that all trials have in common, of which a new box leaves none, and draws at random from then on. Its `CmaEsSampler`,
besides, keeps its state as pickles in the database, which whoever writes there could make a worker run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import optuna
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.trial import TrialState, create_trial

from search.space.box import Box
from search.space.distributions import distribution_of
from search.space.ranges import Choices, Value
from search.space.samplers import SamplerName
from search.space.seeds import shares, trial_seeds, uniforms

STARTUP: Final = 10
"""Trials that TPE and the Gaussian process have to have seen, as in Optuna; or a third of the stage's, if fewer."""

STEP: Final = 1 / 6
"""The first standard deviation of CMA-ES, as a share of each range, about the middle of the box; as in Optuna."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A trial as a sampler sees it: its place, its parameters, whether it has ended, and its score if it has one.

    `last` are the step and the value after which one was pruned. All without a score are taken for worse than those
    with one, and among them the later pruned for better, then the lower error; those that diverged or failed are last.
    """

    stage: int
    slot: int
    params: dict[str, Value]
    ended: bool
    score: float | None = None
    last: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class SlotDraw:
    """What a slot's draws follow from, next to the trials seen; `slots` is how many the stage has."""

    seed: int
    stage: int
    slot: int
    slots: int

    @property
    def draws(self) -> int:
        """The seed of the slot's own parameters."""
        return trial_seeds(self.seed, self.stage, self.slot).parameters


def learned(sampler: SamplerName, box: Box, place: SlotDraw, seen: Sequence[Seen]) -> dict[str, Value]:
    """Return the parameters of a slot, in `box`, by the trials seen so far of its stage and those before, in order.

    TPE and the Gaussian process learn from all that lie in the box, CMA-ES starts anew in every box. Before there are
    enough trials to learn from, a slot has its point of the sampler `sobol`.
    """
    if sampler == "cmaes":
        return _evolved(box, place, [each for each in seen if each.stage == place.stage])
    inside = [each for each in seen if all(one.holds(each.params[one.name]) for one in box.ranges)]
    ended = [each for each in inside if each.ended]
    if len(ended) < max(2, min(STARTUP, place.slots // 3)) or all(each.score is None for each in ended):
        return _spread(box, place)
    return _asked(_optunas(sampler, _short(place.draws)), box, inside)


def _spread(box: Box, place: SlotDraw) -> dict[str, Value]:
    return box.at(shares("sobol", place.seed, place.stage, place.slot, len(box.ranges)))


def _optunas(sampler: SamplerName, seed: int) -> BaseSampler:
    """Return Optuna's sampler: TPE over all parameters at once, both away from where trials are running."""
    if sampler == "gp":
        return GPSampler(seed=seed, n_startup_trials=0, warn_independent_sampling=False)
    return TPESampler(seed=seed, n_startup_trials=0, multivariate=True, constant_liar=True)


def _asked(sampler: BaseSampler, box: Box, seen: Sequence[Seen]) -> dict[str, Value]:
    """Ask a sampler in a study that is in memory, in which all trials are of this box."""
    distributions = {each.name: distribution_of(each) for each in box.ranges}
    trials = []
    for each, score in zip(seen, _scores(seen), strict=True):
        state, value = (TrialState.COMPLETE, score) if each.ended else (TrialState.RUNNING, None)
        params = {name: each.params[name] for name in box.names}
        trials.append(create_trial(state=state, params=params, distributions=distributions, value=value))
    study = optuna.create_study(sampler=sampler)
    study.add_trials(trials)
    return dict(study.ask(distributions).params)


def _scores(seen: Sequence[Seen]) -> list[float]:
    """Return a score for each; those without one lie behind the worst by one to two times the others' span."""
    found = [each.score for each in seen if each.score is not None] or [0.0]
    span = max(found) - min(found) or 1.0
    ranks = sorted({_behind(each) for each in seen if each.score is None})
    worse = {rank: max(found) + span * (1 + place / len(ranks)) for place, rank in enumerate(ranks)}
    return [worse[_behind(each)] if each.score is None else each.score for each in seen]


def _behind(each: Seen) -> tuple[float, float]:
    """Return what trials without a score are ordered by."""
    return (0.0, 0.0) if each.last is None else (-float(each.last[0]), each.last[1])


def _evolved(box: Box, place: SlotDraw, seen: Sequence[Seen]) -> dict[str, Value]:
    """Return a slot's parameters by CMA-ES: as many slots as its population has, in their order, are a generation.

    A slot is sampled from the newest generation that has ended, as have all before it; with many workers that may be
    an earlier one than the last. Choices are drawn at random.
    """
    from cmaes import CMA  # which loads a second of SciPy

    numbers = [each for each in box.ranges if not isinstance(each, Choices)]
    first = _short(trial_seeds(place.seed, place.stage, 0).parameters)
    optimizer = CMA(np.full(len(numbers), 0.5), STEP, np.array([[0.0, 1.0]] * len(numbers)), seed=first)
    ended = {each.slot: (each.params, score) for each, score in zip(seen, _scores(seen), strict=True) if each.ended}
    size = optimizer.population_size
    for start in range(0, place.slot // size * size, size):
        generation = [ended[slot] for slot in range(start, start + size) if slot in ended]
        if len(generation) < size:
            break
        places = [np.array([one.share(float(params[one.name])) for one in numbers]) for params, _ in generation]
        optimizer.tell([(point, score) for point, (_, score) in zip(places, generation, strict=True)])
    optimizer.reseed_rng(_short(place.draws))
    drawn = dict(zip(box.names, uniforms(place.draws, len(box.ranges)), strict=True))
    drawn |= zip((each.name for each in numbers), optimizer.ask().tolist(), strict=True)
    return box.at(tuple(drawn.values()))


def _short(seed: int) -> int:
    """Return the 32 bits of a seed of 63 that NumPy's older generators take."""
    return seed >> 31
