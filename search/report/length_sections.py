"""The length of the training in the report: one long training, and what shorter ones would have ended with."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from model.figures.curves import Mark, Panel, Runs, draw_curves
from model.results.quantity import Quantity
from search.counting import counted
from search.report.declared import CHECKPOINTED, epochs_at
from search.report.paper import TABLE_3, WITH_PENALTY
from search.report.sections import Cell, Column, Figure, Section, Table, Words
from search.tasks.images.options import BEST, file_after

Tested = Mapping[str, float]
"""The errors on the test split of the networks that a run has kept, by the names of their files."""


def length_section(
    words: Words, lengths: Mapping[str, float], training: Runs, validation: Runs, tested: Mapping[int, Tested]
) -> Section:
    """Show runs of the longest length; `lengths` are its shares by the names of the paper's lengths.

    `tested` has what is known of each run, by its seed.
    """
    longest = min(map(len, validation))
    epochs = epochs_at(lengths, longest)
    mean = np.mean([run[:longest] for run in validation], axis=0)
    marks = tuple(Mark(_name(name, epoch), epoch, float(mean[epoch - 1])) for name, epoch in epochs.items())
    first = min(epochs.values())
    panels = [
        Panel(f"the first {first} epochs", _cut(training, validation, first)),
        Panel("", _cut(training, validation, longest), marks=marks),
    ]
    said = (
        "The learning rate is constant and the order of the images follows from the seed, so that a shorter training "
        "is the beginning of a longer one. The networks at these lengths are kept with the trial; 'agesearch report' "
        "alone evaluates them on the test split.",
    )
    alternative = f"Training and validation error over {counted(longest, 'epoch')}."
    figure = Figure("figure-5-6-lengths", words.caption, alternative, draw_curves(panels, words.quantity, width=9.2))
    return Section(
        words.title, (*words.text, *said), (figure, _table(epochs, words.quantity, training, validation, tested))
    )


def _table(
    epochs: Mapping[str, int], quantity: Quantity, training: Runs, validation: Runs, tested: Mapping[int, Tested]
) -> Table:
    columns = (
        Column("training"),
        Column("epoch", "d"),
        Column(quantity.label("training MAE"), ".4f"),
        Column(quantity.label("validation MAE"), ".4f"),
        Column(quantity.label("test MAE"), ".4f"),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, epoch in epochs.items():
        known = _mean_tested(tested.values(), file_after(epoch))
        errors = (_mean(training, epoch), _mean(validation, epoch), known)
        rows.append((_name(name, epoch), epoch, *errors))
        if name == CHECKPOINTED:
            runs = zip(tested.items(), training, validation, strict=True)
            rows += [_best(seed, epoch, own, *curves) for (seed, own), *curves in runs]
    caption = "Table III. Errors at the paper's lengths and of the best checkpoint, means over the seeds"
    if quantity.is_age:
        rows += [
            (f"paper: {row.training}", None, row.training_loss, row.validation_loss, row.test_loss) for row in TABLE_3
        ]
        caption += f", and below them the paper's, {WITH_PENALTY}"
    return Table("table-3-lengths", f"{caption}.", columns, tuple(rows))


def _best(
    seed: int, epochs: int, tested: Tested, training: Sequence[float], validation: Sequence[float]
) -> tuple[Cell, ...]:
    kept = int(np.argmin(validation[:epochs]))
    name = f"best checkpoint of {epochs} epochs, seed {seed}"
    return (name, kept + 1, training[kept], validation[kept], tested.get(BEST))


def _cut(training: Runs, validation: Runs, epochs: int) -> dict[str, Runs]:
    return {
        "training": [run[:epochs] for run in training],
        "validation": [run[:epochs] for run in validation],
    }


def _mean(runs: Runs, epoch: int) -> float:
    return float(np.mean([run[epoch - 1] for run in runs]))


def _mean_tested(tested: Collection[Tested], file: str) -> float | None:
    """Return the mean over the runs, or None where one of them is not known."""
    known = [errors[file] for errors in tested if file in errors]
    return float(np.mean(known)) if len(known) == len(tested) else None


def _name(name: str, epoch: int) -> str:
    return name if name == f"{epoch} epochs" else f"{epoch} epochs (for the paper's {name})"
