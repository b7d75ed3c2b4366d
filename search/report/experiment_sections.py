"""The paper's other studies in the report, made of plain sequences of errors by variant and seed."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model.figures.curves import MOST_LINES, Level, Panel, Runs, draw_curves
from model.results.quantity import Quantity
from search.report.pairing import NOT_COMPARED, Apart
from search.report.paper import CAPACITY_MAE
from search.report.sections import Column, Figure, Section, Table, Words

LEARNT = 0.5
"""The training error in years on a few images up to which an initialisation is said to have learnt them."""

PANELS = 3
"""Variants side by side in one figure at most."""


def capacity_section(words: Words, images: int, seeds: Mapping[str, Sequence[float]]) -> Section:
    """Show whether the network can learn a few images by heart (Figure 2).

    `seeds` has the training error, epoch by epoch, by the name of the seed.
    """
    quantity = words.quantity
    reached = {name: min(errors) for name, errors in seeds.items()}
    learnt = sum(error <= LEARNT for error in reached.values())
    best = f"the best of {len(seeds)} initialisations reaches a training MAE of {quantity.error(min(reached.values()))}"
    verdict = f", the paper {CAPACITY_MAE:g}; {learnt} of them learn the images (at most {LEARNT:g})"
    text = f"{images} training images, no regularisation: {best}{verdict if quantity.is_age else ''}."
    figure = Figure(
        "figure-2-capacity",
        words.caption,
        text,
        draw_curves(_capacity_panels(seeds, quantity), quantity),
    )
    lowest = Column(quantity.label("lowest training MAE"), ".3f")
    columns = (Column("seed"), Column("epochs", "d"), lowest)
    rows = [(name, len(errors), reached[name]) for name, errors in seeds.items()]
    table = Table("capacity", "The same in numbers.", columns, tuple(rows))
    return Section(words.title, (text, *words.text), (figure, table))


def _capacity_panels(seeds: Mapping[str, Sequence[float]], quantity: Quantity) -> list[Panel]:
    names = list(seeds)
    levels = (Level(f"the paper: {CAPACITY_MAE:g}", CAPACITY_MAE),) if quantity.is_age else ()
    parts = [names[start : start + MOST_LINES] for start in range(0, len(names), MOST_LINES)]
    return [Panel("", {name: [seeds[name]] for name in part}, levels=levels, log=True) for part in parts]


def variants_section(
    words: Words, name: str, variants: Mapping[str, Mapping[str, Runs]], apart: Mapping[str, Apart]
) -> Section:
    """Show variants of a network or its training side by side, and what they came to.

    `variants` has by name the curves "training" and "validation": for each seed the errors, epoch by epoch.
    `apart` has by name how far each but the first is from that one. `name` is that of the files; a fourth variant
    begins another row of panels.
    """
    listed = list(variants.items())
    size = math.ceil(len(listed) / math.ceil(len(listed) / PANELS))  # rows that are as long as each other
    rows = [listed[start : start + size] for start in range(0, len(listed), size)]
    figures = tuple(
        Figure(
            name if len(rows) == 1 else f"{name}-{place}",
            words.caption if place == 1 else "Continued.",
            f"Learning curves of {', '.join(variant for variant, _ in row)}.",
            draw_curves([Panel(*each) for each in row], words.quantity, width=2.6 * len(row) + 1.2),
        )
        for place, row in enumerate(rows, start=1)
    )
    return Section(words.title, words.text, (*figures, _variants_table(name, variants, apart, words.quantity.label)))


def _variants_table(
    name: str, variants: Mapping[str, Mapping[str, Runs]], apart: Mapping[str, Apart], label: Callable[[str], str]
) -> Table:
    columns = (
        Column("variant"),
        Column("seeds", "d"),
        Column("epochs", "d"),
        Column(label("training MAE, last epoch"), ".3f"),
        Column(label("validation MAE, last epoch"), ".3f"),
        Column(label("lowest validation MAE"), ".3f"),
        Column("± standard error over seeds", ".3f"),
        Column(label("difference to the first"), "+.3f"),
        Column("± paired standard error", ".3f"),
    )
    caption = "Means over the seeds. The difference is that of the lowest validation MAE over the seeds that both have."
    rows = (
        (*_row(*each), found.mean, found.standard_error)
        for each in variants.items()
        for found in (apart.get(each[0], NOT_COMPARED),)
    )
    return Table(name, caption, columns, tuple(rows))


def _row(variant: str, curves: Mapping[str, Runs]) -> tuple[str | int | float | None, ...]:
    training, validation = curves["training"], curves["validation"]
    lowest = np.array([min(run) for run in validation])
    error = float(lowest.std(ddof=1) / np.sqrt(len(lowest))) if len(lowest) > 1 else None
    last = (float(np.mean([run[-1] for run in runs])) for runs in (training, validation))
    return (variant, len(validation), max(map(len, validation)), *last, float(lowest.mean()), error)
