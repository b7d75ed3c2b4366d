"""The configurations that are looked at again: the best distinct ones of all sampled stages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from search.space.narrowing import FinishedTrial
from search.space.ranges import Value


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration, the numbers of the trials that had it, and their mean score."""

    params: dict[str, Value]
    trials: tuple[int, ...]
    score: float


def candidates(finished: Iterable[FinishedTrial], count: int) -> tuple[Candidate, ...]:
    """Return the best `count` distinct configurations by mean score, or all where they are fewer; the best first.

    Ties go to the configuration that comes first in `finished`.
    """
    by_params: dict[tuple[tuple[str, Value], ...], list[FinishedTrial]] = {}
    for trial in finished:
        by_params.setdefault(tuple(sorted(trial.params.items())), []).append(trial)
    return tuple(sorted(map(_candidate, by_params.values()), key=lambda each: each.score)[:count])


def _candidate(trials: Sequence[FinishedTrial]) -> Candidate:
    mean = sum(trial.value for trial in trials) / len(trials)
    return Candidate(trials[0].params, tuple(trial.number for trial in trials), mean)
