"""The samplers: which share of each range a slot gets, from the study's seed, the stage and the slot alone."""

import numpy as np

from search.space.samplers import SamplerName
from search.space.seeds import trial_seeds, uniforms


def shares(sampler: SamplerName, seed: int, stage: int, slot: int, count: int) -> tuple[float, ...]:
    """Return `count` numbers from [0, 1).

    `random` draws them independently. `sobol` takes point number `slot` of a Sobol' sequence that is scrambled anew for
    every stage (Owen, 1998): its first points are spread more evenly than by chance, the best at a power of two of
    them, and a slot has its own however many workers there are.
    """
    if sampler == "random":
        return uniforms(trial_seeds(seed, stage, slot).parameters, count)
    from scipy.stats import qmc  # half a second

    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stage,)))
    sequence = qmc.Sobol(count, scramble=True, rng=stream)
    if slot:  # SciPy cannot go forward by nothing
        sequence.fast_forward(slot)
    return tuple(sequence.random(1)[0].tolist())
