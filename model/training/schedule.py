"""The learning rate from step to step, as factors on the one that is asked for."""

import math
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Schedule: TypeAlias = Literal["constant", "cosine"]

WARM_UP = 0.05
"""The share of all steps over which the cosine schedule first climbs from nothing."""


def factors(schedule: Schedule, first: int, count: int, total: int) -> npt.NDArray[np.float32]:
    """Return the factors of steps `first` to `first + count` (from 0) of `total`, float32 (count,).

    "cosine" climbs linearly over the first 5 % and falls to 0 along half a cosine (Loshchilov & Hutter, 2017).
    """
    if schedule == "constant":
        return np.ones(count, np.float32)
    steps = np.arange(first, first + count) + 1.0
    climb = max(1.0, WARM_UP * total)
    fallen = np.clip((steps - climb) / max(1.0, total - climb), 0, 1)
    found: npt.NDArray[np.float32] = np.minimum(steps / climb, (1 + np.cos(math.pi * fallen)) / 2).astype(np.float32)
    return found
