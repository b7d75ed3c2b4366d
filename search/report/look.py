"""What the pictures of a search have in common: the colours of errors, and the names of parameters."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

COLOUR_MAP = "viridis"
NAMES = {"learning_rate": "learning rate", "l2": "L2", "batch_size": "batch size", "batch_norm": "batch norm"}


def name_of(parameter: str) -> str:
    """Return a parameter's name as people write it."""
    return NAMES.get(parameter, parameter.replace("_", " "))


def colour_range(errors: Sequence[float]) -> "Normalize":
    """Return the colours' range, from the best to the 90th percentile: a few bad trials shall not hide the rest."""
    from matplotlib.colors import Normalize

    ranked = sorted(errors)
    high = ranked[math.ceil(0.9 * (len(ranked) - 1))]
    return Normalize(ranked[0], high if high > ranked[0] else ranked[0] + 1)
