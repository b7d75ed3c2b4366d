"""The length of the training in the report: one long training, and what shorter ones would have ended with."""

from collections.abc import Mapping, Sequence

import numpy as np

from model.curves import Mark, Panel, Runs, draw_curves
from search.report.paper import TABLE_3
from search.report.sections import Cell, Column, Figure, Section, Table

CHECKPOINTED = "800 epochs"
"""The length in which the paper kept the best checkpoint, too."""


def length_section(
    title: str, caption: str, lengths: Mapping[str, float], training: Runs, validation: Runs, text: Sequence[str]
) -> Section:
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
    words = (
        "The learning rate is constant and the order of the images follows from the seed, so that a shorter training "
        "is the beginning of a longer one. The test split is not read here: fit as long with 'agesearch fit' for that.",
    )
    alternative = f"Training and validation error over {longest} epochs."
    figure = Figure("figure-5-6-lengths", caption, alternative, draw_curves(panels, width=9.2))
    return Section(title, (*text, *words), (figure, _table(epochs, training, validation)))


def _table(epochs: Mapping[str, int], training: Runs, validation: Runs) -> Table:
    columns = (
        Column("training"),
        Column("epoch", "d"),
        Column("training MAE (years)", ".4f"),
        Column("validation MAE (years)", ".4f"),
        Column("test MAE (years)", ".4f"),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, epoch in epochs.items():
        rows.append((_name(name, epoch), epoch, _mean(training, epoch), _mean(validation, epoch), None))
        if name == CHECKPOINTED:
            rows += [_best(place, epoch, *runs) for place, runs in enumerate(zip(training, validation, strict=True))]
    rows += [(f"paper: {row.training}", None, row.training_loss, row.validation_loss, row.test_loss) for row in TABLE_3]
    caption = (
        "Table III. Errors at the paper's lengths and of the best checkpoint, means over the seeds, and below them the "
        "paper's, which are losses with the L2 penalty in them (about 0.1 to 0.2 years)."
    )
    return Table("table-3-lengths", caption, columns, tuple(rows))


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
