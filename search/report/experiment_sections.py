"""The paper's other studies in the report, made of plain sequences of errors by variant and seed."""

from collections.abc import Mapping, Sequence

import numpy as np

from model.curves import MOST_LINES, Level, Panel, Runs, draw_curves
from search.report.paper import CAPACITY_MAE
from search.report.sections import Column, Figure, Section, Table

LEARNT = 0.5
"""The training error in years on a few images below which an initialisation is said to have learnt them."""

PANELS = 3
"""Variants side by side in one figure."""


def capacity_section(images: int, seeds: Mapping[str, Sequence[float]]) -> Section:
    """Show whether the network can learn a few images by heart (Figure 2).

    `seeds` has the training error in years, epoch by epoch, by the name of the seed.
    """
    reached = {name: min(errors) for name, errors in seeds.items()}
    learnt = sum(error <= LEARNT for error in reached.values())
    text = (
        f"{images} training images, no regularisation: {learnt} of {len(seeds)} initialisations learn them (training "
        f"MAE of at most {LEARNT:g} years); the best reaches {min(reached.values()):.3f}, the paper {CAPACITY_MAE:g}."
    )
    figure = Figure(
        "figure-2-capacity",
        f"Figure 2. Training error on {images} images, a curve for each seed; a logarithmic axis.",
        text,
        draw_curves(_capacity_panels(seeds)),
    )
    columns = (Column("seed"), Column("epochs", "d"), Column("lowest training MAE (years)", ".3f"), Column("learnt"))
    rows = [
        (name, len(errors), reached[name], "yes" if reached[name] <= LEARNT else "no") for name, errors in seeds.items()
    ]
    table = Table("capacity", "The same in numbers.", columns, tuple(rows))
    return Section("Is the network complex enough?", (text,), (figure, table))


def _capacity_panels(seeds: Mapping[str, Sequence[float]]) -> list[Panel]:
    names, level = list(seeds), Level(f"the paper: {CAPACITY_MAE:g}", CAPACITY_MAE)
    parts = [names[start : start + MOST_LINES] for start in range(0, len(names), MOST_LINES)]
    return [Panel("", {name: [seeds[name]] for name in part}, levels=(level,), log=True) for part in parts]


def variants_section(
    title: str, name: str, caption: str, variants: Mapping[str, Mapping[str, Runs]], text: tuple[str, ...] = ()
) -> Section:
    """Show variants of a network or its training side by side, and what they came to.

    `variants` has by name the curves "training" and "validation": for each seed the errors in years, epoch by epoch.
    `name` is that of the files; a fourth variant begins another row of panels.
    """
    listed = list(variants.items())
    rows = [listed[start : start + PANELS] for start in range(0, len(listed), PANELS)]
    figures = tuple(
        Figure(
            name if len(rows) == 1 else f"{name}-{place}",
            caption if place == 1 else "Continued.",
            f"Learning curves of {', '.join(variant for variant, _ in row)}.",
            draw_curves([Panel(variant, curves) for variant, curves in row], width=2.6 * len(row) + 1.2),
        )
        for place, row in enumerate(rows, start=1)
    )
    return Section(title, text, (*figures, _variants_table(name, variants)))


def _variants_table(name: str, variants: Mapping[str, Mapping[str, Runs]]) -> Table:
    columns = (
        Column("variant"),
        Column("seeds", "d"),
        Column("epochs", "d"),
        Column("training MAE, last epoch (years)", ".3f"),
        Column("validation MAE, last epoch (years)", ".3f"),
        Column("lowest validation MAE (years)", ".3f"),
        Column("± standard error over seeds", ".3f"),
    )
    return Table(name, "Means over the seeds.", columns, tuple(_row(*each) for each in variants.items()))


def _row(variant: str, curves: Mapping[str, Runs]) -> tuple[str | int | float | None, ...]:
    training, validation = curves["training"], curves["validation"]
    lowest = np.array([min(run) for run in validation])
    error = float(lowest.std(ddof=1) / np.sqrt(len(lowest))) if len(lowest) > 1 else None
    last = (float(np.mean([run[-1] for run in runs])) for runs in (training, validation))
    return (variant, len(validation), max(map(len, validation)), *last, float(lowest.mean()), error)
