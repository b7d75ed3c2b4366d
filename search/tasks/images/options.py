"""What an experiment asks of a trial of images: which curves and which networks it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from search.study.assignment import Options

Curve: TypeAlias = Literal["none", "training", "validation"]
"""The curves that a trial keeps: none but the training errors that every trial reports on its way; that of training,
whose lowest is the trial's score; or both, with the validation error reported after every epoch."""

TRAINING_CURVE = "training_curve"
"""The measure with the training error of each epoch; Optuna's own intermediate values are what was reported."""

BEST = "best.keras"


@dataclass(frozen=True, slots=True)
class Keeping:
    """The networks that a trial keeps as files: those after some epochs, and the best by validation up to one.

    A trial that keeps the best keeps the curve of validation. None by default.
    """

    after: tuple[int, ...] = ()
    best_until: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files."""
        return (*dict.fromkeys(map(file_after, self.after)), *((BEST,) if self.best_until else ()))


NONE_KEPT = Keeping()


def file_after(epoch: int) -> str:
    """Return the name of the file with the network as it was after an epoch."""
    return f"epoch-{epoch}.keras"


def options_of(curve: Curve, keeping: Keeping = NONE_KEPT) -> Options:
    """Return both as a variant keeps them."""
    return {"curve": curve, "keep_after": list(keeping.after), "keep_best_until": keeping.best_until}


def curve_of(options: Mapping[str, Any]) -> Curve:
    """Return the curves that a trial keeps."""
    curve: Curve = options.get("curve", "none")
    return curve


def keeping_of(options: Mapping[str, Any]) -> Keeping:
    """Return the networks that a trial keeps."""
    return Keeping(tuple(options.get("keep_after", ())), options.get("keep_best_until", 0))
