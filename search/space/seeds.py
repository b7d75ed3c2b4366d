"""All randomness of a trial, and its place in the box, from the study's seed, the stage and the slot alone.

NumPy and SciPy are imported where something is drawn: a command that only shows its help need not wait for them.
"""

from dataclasses import dataclass
from enum import IntEnum

from search.space.samplers import SamplerName


class Purpose(IntEnum):
    """What a seed is for; the numbers are part of every study's results and never change."""

    PARAMETERS = 0
    SUBSET = 1
    WEIGHTS = 2
    ORDER = 3


@dataclass(frozen=True, slots=True)
class TrialSeeds:
    """The seeds of one trial: its parameters, its subset of the data, its initial weights and the order of its batches.

    `parameters` has 63 bits; the others have 31, since that is what every random operation of TensorFlow takes.
    """

    parameters: int
    subset: int
    weights: int
    order: int


def seed_of(study_seed: int, stage: int, slot: int, purpose: Purpose) -> int:
    """Return a seed of 63 bits, independent of every other slot's and purpose's (NumPy's SeedSequence)."""
    import numpy as np

    sequence = np.random.SeedSequence(study_seed, spawn_key=(stage, slot, purpose))
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def trial_seeds(study_seed: int, stage: int, slot: int) -> TrialSeeds:
    """Return the seeds of the trial of one slot; every attempt at the slot gets the same."""
    parameters, *others = (seed_of(study_seed, stage, slot, purpose) for purpose in Purpose)
    subset, weights, order = (seed >> 32 for seed in others)
    return TrialSeeds(parameters, subset, weights, order)


def uniforms(seed: int, count: int) -> tuple[float, ...]:
    """Return `count` draws from [0, 1); asking for more leaves the first ones as they were."""
    import numpy as np

    return tuple(np.random.Generator(np.random.PCG64(seed)).random(count).tolist())


def shares(sampler: SamplerName, seed: int, stage: int, slot: int, count: int) -> tuple[float, ...]:
    """Return `count` numbers from [0, 1).

    `random` draws them independently. `sobol` takes point number `slot` of a Sobol' sequence that is scrambled anew for
    every stage (Owen, 1998): its first points are spread more evenly than by chance, the best at a power of two of
    them, and a slot has its own however many workers there are.
    """
    if sampler == "random":
        return uniforms(trial_seeds(seed, stage, slot).parameters, count)
    import numpy as np
    from scipy.stats import qmc

    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stage,)))
    sequence = qmc.Sobol(count, scramble=True, rng=stream)
    if slot:  # SciPy cannot go forward by nothing
        sequence.fast_forward(slot)
    return tuple(sequence.random(1)[0].tolist())
