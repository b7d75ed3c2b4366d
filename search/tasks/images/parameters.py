"""The parameters of the task `images`: what each may be, its title in tables, and the order of a trial's draws."""

import difflib
import math
from collections.abc import Iterable, Mapping

from search.errors import SearchError
from search.space.box import Box
from search.space.enqueued import Wanted
from search.space.parameters import Parameter
from search.space.ranges import Choices, LogRange, Range

PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter("learning_rate", "learning rate", low=math.ulp(0.0), log=True),
        Parameter("l2", "L2", log=True),
        Parameter("dropout", "dropout", high=0.99),
        Parameter("batch_size", "batch size", low=1, high=2**31 - 1, whole=True),
        Parameter("batch_norm", "batch norm", words=("convolutions", "blocks", "dense", "none")),
        Parameter("initializer", "initializer", words=("xavier", "gaussian")),
        Parameter("width", "width", low=1, high=2**15, whole=True),
        Parameter("augmentation", "augmentation", high=2.0),
    )
}
"""In the order of a trial's draws, which is part of every study's results."""

SPANNED = ("learning_rate", "l2")
"""Parameters of which an experiment's values are shown as a range, where they vary, and not as choices."""

SHORT = {"lr": "learning_rate"}
"""Names that may be written instead."""

FIRST_BOX = Box((LogRange("learning_rate", 1e-6, 1e-3), LogRange("l2", 1e-6, 1e1)))
"""The ranges of the paper's first stage (its section on learning rate and L2)."""


def box_of(space: Mapping[str, Range]) -> Box:
    """Return the first box of a study: learning rate and L2 in the paper's ranges unless `space` has others."""
    known = {searched.name: searched for searched in FIRST_BOX.ranges}
    ranges = {**known, **space}
    return Box(tuple(ranges[name] for name in PARAMETERS if name in ranges))


def require_known(space: Iterable[Range]) -> None:
    """Raise SearchError for a range of what is no parameter, or of values that it cannot have."""
    for searched in space:
        name = searched.name
        if name not in PARAMETERS:
            near = difflib.get_close_matches(name, PARAMETERS, n=1)
            hint = f"; did you mean {near[0]}" if near else ""
            raise SearchError(f"{name} cannot be searched{hint}; known are {', '.join(PARAMETERS)}")
        parameter = PARAMETERS[name]
        ends = searched.values if isinstance(searched, Choices) else (searched.low, searched.high)
        if not all(map(parameter.allows, ends)):
            raise SearchError(f"{searched} is not allowed: {name} takes {parameter.expected()}")


def named_in_full(wanted: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """Return enqueued configurations with the parameters' own names; raise SearchError where two are the same."""
    return tuple(map(_in_full, wanted))


def _in_full(one: Wanted) -> Wanted:
    named = {SHORT.get(name, name): value for name, value in one}
    if len(named) < len(one):
        raise SearchError("enqueue: lr and learning_rate are the same; keep one of them")
    return tuple(named.items())
