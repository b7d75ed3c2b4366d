"""How good predictions are: the mean absolute error, its standard error, and what a constant answer would score."""

from dataclasses import asdict, dataclass

import numpy as np

from model.errors import ModelError
from model.examples import Labels


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Errors in the labels' unit over `images` images.

    `standard_error` is that of the mean absolute error, from the spread of the images' errors; `constant_mae` is the
    error of always answering the median label.
    """

    images: int
    mae: float
    standard_error: float
    median_error: float
    rmse: float
    bias: float
    constant_mae: float

    def as_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def evaluate(predictions: Labels, labels: Labels) -> Evaluation:
    """Compare `predictions` with `labels`, both (n,), n ≥ 2; raises ModelError where they do not fit."""
    if predictions.shape != labels.shape or labels.ndim != 1 or len(labels) < 2:
        raise ModelError(f"predictions are {predictions.shape} for labels of {labels.shape}; both must be (n,), n ≥ 2")
    signed = predictions.astype(np.float64) - labels
    errors = np.abs(signed)
    return Evaluation(
        images=len(labels),
        mae=float(errors.mean()),
        standard_error=float(errors.std(ddof=1) / np.sqrt(len(errors))),
        median_error=float(np.median(errors)),
        rmse=float(np.sqrt(np.square(signed).mean())),
        bias=float(signed.mean()),
        constant_mae=float(np.abs(labels.astype(np.float64) - np.median(labels)).mean()),
    )
