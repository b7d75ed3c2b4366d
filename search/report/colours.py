"""What the pictures of a search have in common: the colours of errors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.results.search_map import colour_limits

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

COLOUR_MAP = "viridis"


def colour_range(errors: Sequence[float]) -> "Normalize":
    """Return the colours' range, the same as on the dashboard."""
    from matplotlib.colors import Normalize

    return Normalize(*colour_limits(errors))
