"""A fit's history for people and programs: a CSV table and the learning curve as a picture."""

import csv
import io
from collections.abc import Sequence

from model.final_fit import Epoch
from model.quantity import Quantity

PAPER_BLUE, PAPER_ORANGE = "#1f5fa8", "#d9730d"

MOST_DOTS = 60
"""Epochs up to which each is marked by a dot; more of them run together and hide the line."""


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
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    best = next(row for row in reversed(history) if row.best)
    epochs = [row.epoch for row in history]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    dots = "." if len(epochs) <= MOST_DOTS else ""
    axes.plot(epochs, [row.training_mae for row in history], color=PAPER_ORANGE, marker=dots, label="training")
    axes.plot(epochs, [row.validation_mae for row in history], color=PAPER_BLUE, marker=dots, label="validation")
    kept = f"kept: epoch {best.epoch}, " + quantity.amount(f"{best.validation_mae:.2f}")
    axes.plot(best.epoch, best.validation_mae, "o", color="black", markersize=11, fillstyle="none", label=kept)
    axes.set(xlabel="epoch", ylabel=quantity.mae, ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.08)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    return picture.getvalue()
