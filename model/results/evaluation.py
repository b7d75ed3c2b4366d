"""How good predictions are: the mean absolute error, its standard error, and what a constant answer would score."""

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from model.arrays import Labels
from model.errors import ModelError


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Errors in the labels' unit over `images` images.

    `standard_error` is that of the mean absolute error, from the spread of the images' errors, None for a single one;
    `constant_mae` is the error of always answering the median of these labels, the lowest that a constant can have.
    """

    images: int
    mae: float
    standard_error: float | None
    median_error: float
    rmse: float
    bias: float
    constant_mae: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the figures by name."""
        return asdict(self)


def evaluate(predictions: Labels, labels: Labels) -> Evaluation:
    """Compare `predictions` with `labels`, both (n,), n ≥ 1; raises ModelError where they do not fit."""
    if predictions.shape != labels.shape or labels.ndim != 1 or not len(labels):
        raise ModelError(f"predictions are {predictions.shape} for labels of {labels.shape}; both must be (n,), n ≥ 1")
    signed = predictions.astype(np.float64) - labels
    errors = np.abs(signed)
    return Evaluation(
        images=len(labels),
        mae=float(errors.mean()),
        standard_error=standard_error(errors),
        median_error=float(np.median(errors)),
        rmse=float(np.sqrt(np.square(signed).mean())),
        bias=float(signed.mean()),
        constant_mae=float(np.abs(labels.astype(np.float64) - np.median(labels)).mean()),
    )


def standard_error(values: npt.NDArray[np.float64]) -> float | None:
    """Return the standard error of the mean of `values`, (n,), n ≥ 1; None for a single one, which has no spread."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
