"""A fit's history, epoch by epoch: which epoch is kept, a CSV table there and back, the learning curve as a picture."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from model.figures.curves import Mark, Panel, draw_curves
from model.results.quantity import Quantity, decimal


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the history: errors in the labels' unit, the seconds it took, and whether it is the best so far."""

    epoch: int
    training_mae: float
    validation_mae: float
    seconds: float
    best: bool


def kept(history: Sequence[Epoch]) -> Epoch:
    """Return the epoch whose weights are kept: the first with the lowest validation error."""
    return min(history, key=lambda row: row.validation_mae)


def to_csv(history: Sequence[Epoch]) -> bytes:
    """Write one line an epoch: epoch, training_mae, validation_mae (in the labels' unit), seconds, best (0 or 1)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("epoch", "training_mae", "validation_mae", "seconds", "best"))
    for row in history:
        writer.writerow((row.epoch, row.training_mae, row.validation_mae, f"{row.seconds:.3f}", int(row.best)))
    return text.getvalue().encode()


def from_csv(content: bytes) -> tuple[Epoch, ...]:
    """Read what `to_csv` wrote; raises ValueError, KeyError or TypeError for anything else."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode())))
    except csv.Error as error:
        raise ValueError(f"it is not a table: {error}") from error
    return tuple(
        Epoch(
            int(row["epoch"]),
            float(row["training_mae"]),
            float(row["validation_mae"]),
            float(row["seconds"]),
            row["best"] == "1",
        )
        for row in rows
    )


def learning_curve(history: Sequence[Epoch], quantity: Quantity) -> bytes:
    """Draw training and validation error by epoch, the kept epoch marked, as a PNG (paper, Figures 5 and 6)."""
    best = kept(history)
    name = f"kept: epoch {best.epoch}, " + quantity.amount(decimal(best.validation_mae, ".2f"))
    curves = {
        "training": [[row.training_mae for row in history]],
        "validation": [[row.validation_mae for row in history]],
    }
    return draw_curves([Panel("", curves, marks=(Mark(name, best.epoch, best.validation_mae),))], quantity)
