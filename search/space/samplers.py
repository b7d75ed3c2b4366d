"""The samplers' names, apart from what samples, so that settings need no NumPy; and what users read of them."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final, Literal, TypeAlias

from search.errors import SearchError
from search.space.box import Box
from search.space.ranges import Choices

SamplerName: TypeAlias = Literal["random", "sobol", "tpe", "gp", "cmaes"]

LEARNING: Final = frozenset({"tpe", "gp", "cmaes"})
"""Those that choose a slot's parameters by the trials that have ended when it is claimed.

So the same seed gives the same search with one worker alone: with more, what has ended is a matter of time.
"""


def require_installed(sampler: SamplerName) -> None:
    """Raise SearchError where a sampler needs a package that is not there."""
    if sampler == "gp" and find_spec("torch") is None:
        raise SearchError(
            "sampler is 'gp', which needs PyTorch, and that is not installed; pip install 'agesearch[gp]', or use tpe"
        )


def require_samplable(sampler: SamplerName, box: Box) -> None:
    """Raise SearchError for a box of which a sampler can sample nothing."""
    if sampler == "cmaes" and all(isinstance(each, Choices) for each in box.ranges):
        raise SearchError(
            f"sampler is 'cmaes', which samples only numbers, and the space has only choices: {box}; use tpe"
        )


def remarks(sampler: SamplerName, box: Box) -> Iterator[str]:
    """Say in a sentence each what a user of a sampler has to know."""
    if sampler in LEARNING:
        yield (
            f"the sampler {sampler} learns from the trials that have ended, so the same seed gives the same search "
            "only with one worker"
        )
    chosen = [each.name for each in box.ranges if isinstance(each, Choices) and len(each.values) > 1]
    if sampler == "cmaes" and chosen:
        yield f"the sampler cmaes samples only numbers, so {', '.join(chosen)} are drawn at random"
