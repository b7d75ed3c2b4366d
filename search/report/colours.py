"""What the pictures of a search have in common: the colours of errors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.results.search_map import colour_limits
from search.space.score import Score

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

COLOUR_MAP = "viridis"


def colour_map(score: Score) -> str:
    """Return the name of the colours, dark for what is best."""
    return COLOUR_MAP if score.direction == "minimize" else f"{COLOUR_MAP}_r"


def colour_range(found: Sequence[float], score: Score) -> "Normalize":
    """Return the colours' range, the same as on the dashboard."""
    from matplotlib.colors import Normalize

    return Normalize(*colour_limits(found, score))
