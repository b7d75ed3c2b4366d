"""A fit's history for people and programs: a CSV table and the learning curve as a picture."""

import csv
import io
from collections.abc import Sequence

from model.curves import Mark, Panel, draw_curves
from model.final_fit import Epoch
from model.quantity import Quantity


def to_csv(history: Sequence[Epoch]) -> bytes:
    """Write one line an epoch: epoch, training_mae, validation_mae (in the labels' unit), seconds, best (0 or 1)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("epoch", "training_mae", "validation_mae", "seconds", "best"))
    for row in history:
        writer.writerow((row.epoch, row.training_mae, row.validation_mae, f"{row.seconds:.3f}", int(row.best)))
    return text.getvalue().encode()


def learning_curve(history: Sequence[Epoch], quantity: Quantity) -> bytes:
    """Draw training and validation error by epoch, the kept epoch marked, as a PNG (paper, Figures 5 and 6)."""
    best = next(row for row in reversed(history) if row.best)
    kept = f"kept: epoch {best.epoch}, " + quantity.amount(f"{best.validation_mae:.2f}")
    curves = {
        "training": [[row.training_mae for row in history]],
        "validation": [[row.validation_mae for row in history]],
    }
    return draw_curves([Panel("", curves, marks=(Mark(kept, best.epoch, best.validation_mae),))], quantity)
