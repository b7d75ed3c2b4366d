"""The length of the training in the report: one long training, and what shorter ones would have ended with."""

from collections.abc import Mapping, Sequence

import numpy as np

from model.curves import Mark, Panel, Runs, draw_curves
from model.quantity import Quantity
from search.report.paper import TABLE_3, WITH_PENALTY
from search.report.sections import Cell, Column, Figure, Section, Table, Words

CHECKPOINTED = "800 epochs"
"""The length in which the paper kept the best checkpoint, too."""


def length_section(words: Words, lengths: Mapping[str, float], training: Runs, validation: Runs) -> Section:
    """Show runs of the longest length; `lengths` are its shares by the names of the paper's lengths."""
    longest = min(map(len, validation))
    epochs = {name: max(1, round(share * longest)) for name, share in lengths.items()}
    mean = np.mean([run[:longest] for run in validation], axis=0)
    marks = tuple(Mark(_name(name, epoch), epoch, float(mean[epoch - 1])) for name, epoch in epochs.items())
    first = min(epochs.values())
    panels = [
        Panel(f"the first {first} epochs", _cut(training, validation, first)),
        Panel("", _cut(training, validation, longest), marks=marks),
    ]
    said = (
        "The learning rate is constant and the order of the images follows from the seed, so that a shorter training "
        "is the beginning of a longer one. The test split is not read here: fit as long with 'agesearch fit' for that.",
    )
    alternative = f"Training and validation error over {longest} epochs."
    figure = Figure("figure-5-6-lengths", words.caption, alternative, draw_curves(panels, words.quantity, width=9.2))
    return Section(words.title, (*words.text, *said), (figure, _table(epochs, training, validation, words.quantity)))


def _table(epochs: Mapping[str, int], training: Runs, validation: Runs, quantity: Quantity) -> Table:
    columns = (
        Column("training"),
        Column("epoch", "d"),
        Column(quantity.label("training MAE"), ".4f"),
        Column(quantity.label("validation MAE"), ".4f"),
        Column(quantity.label("test MAE"), ".4f"),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, epoch in epochs.items():
        rows.append((_name(name, epoch), epoch, _mean(training, epoch), _mean(validation, epoch), None))
        if name == CHECKPOINTED:
            rows += [_best(place, epoch, *runs) for place, runs in enumerate(zip(training, validation, strict=True))]
    caption = "Table III. Errors at the paper's lengths and of the best checkpoint, means over the seeds"
    if quantity.is_age:
        rows += [
            (f"paper: {row.training}", None, row.training_loss, row.validation_loss, row.test_loss) for row in TABLE_3
        ]
        caption += f", and below them the paper's, {WITH_PENALTY}"
    return Table("table-3-lengths", f"{caption}.", columns, tuple(rows))


def _best(seed: int, epochs: int, training: Sequence[float], validation: Sequence[float]) -> tuple[Cell, ...]:
    kept = int(np.argmin(validation[:epochs]))
    return (
        f"best checkpoint of {epochs} epochs, seed {seed}", kept + 1, training[kept], validation[kept], None
    )  # fmt: skip


def _cut(training: Runs, validation: Runs, epochs: int) -> dict[str, Runs]:
    return {
        "training": [run[:epochs] for run in training],
        "validation": [run[:epochs] for run in validation],
    }


def _mean(runs: Runs, epoch: int) -> float:
    return float(np.mean([run[epoch - 1] for run in runs]))


def _name(name: str, epoch: int) -> str:
    return name if name == f"{epoch} epochs" else f"{epoch} epochs (for the paper's {name})"
