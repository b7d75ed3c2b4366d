"""How far the variants of an experiment are from its first, seed by seed: all of them have the same ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.report.runs import Run
from search.results.blocks import paired_difference


@dataclass(frozen=True, slots=True)
class Apart:
    """The mean difference of a variant's lowest validation errors to the first variant's, over the seeds of both.

    Below 0, the variant has the smaller error. Both numbers are None for fewer than two such seeds.
    """

    mean: float | None = None
    standard_error: float | None = None


NOT_COMPARED = Apart()


def differences(runs: Mapping[str, Sequence[Run]]) -> dict[str, Apart]:
    """Return by the variants' names how far each of them but the first is from that one."""
    (_, first), *others = runs.items()
    return {name: _apart(found, first) for name, found in others}


def _apart(variant: Sequence[Run], first: Sequence[Run]) -> Apart:
    ours, theirs = ({run.repeat: min(run.validation) for run in found} for found in (variant, first))
    both = sorted(ours.keys() & theirs.keys())
    if len(both) < 2:
        return NOT_COMPARED
    return Apart(*paired_difference([ours[each] for each in both], [theirs[each] for each in both]))
