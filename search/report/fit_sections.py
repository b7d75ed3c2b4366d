"""The final fits in the report: learning curves (Figures 5 and 6), and Table III next to the paper's."""

from collections.abc import Mapping, Sequence

from data.arrays import SPLITS
from model.results.evaluation import Evaluation
from model.training.history import learning_curve
from search.counting import counted, decimal
from search.report.paper import TABLE_3, WITH_PENALTY
from search.report.sections import Cell, Column, Figure, Section, Table
from search.tasks.images.fit_record import FitRecord

Evaluations = Mapping[str, Mapping[str, Evaluation]]
"""What each fit is worth, by its name and then by split; empty where there is no dataset to tell."""


def fit_section(fits: Sequence[FitRecord], evaluations: Evaluations, dataset: str | None) -> Section:
    """Show how the fits went, and what they came to on every split of the dataset with that digest.

    What has an evaluation and no fit is an ensemble: the mean of what several of the fits answer.
    """
    figures = tuple(_curve(place, fit) for place, fit in enumerate(fits, start=1))
    text = (
        "The weights kept are those of the epoch with the lowest validation error. The training error of a curve is "
        "taken while an epoch goes on, each image, distorted where the recipe does so, just before it is learnt from; "
        "the table's is the kept model's over whole splits.",
    )
    made = tuple(
        f"{fit.name} is what 'agesearch fit CONFIGURATION --data DATASET {fit.flags}' makes, with convolutions in "
        f"{fit.precision}."
        for fit in fits
    )
    others = tuple(
        f"{fit.name} was fitted on another dataset (digest {fit.dataset[:12]}…), which may hold images of this one's "
        "test split."
        for fit in fits
        if dataset not in (None, fit.dataset)
    )
    return Section("Final fit", (*text, *made, *others), (*figures, table_3(fits, evaluations)))


def table_3(fits: Sequence[FitRecord], evaluations: Evaluations) -> Table:
    """Return what each fit came to on the three splits, and below what the paper's came to, if it is ages."""
    quantity = fits[0].quantity
    columns = (
        Column("training"),
        Column("epochs", "d"),
        Column("kept epoch", "d"),
        Column(quantity.label("training MAE"), ".4f"),
        Column(quantity.label("validation MAE"), ".4f"),
        Column(quantity.label("test MAE"), ".4f"),
        Column("hours of training", ".2f"),
    )
    caption = "Table III. The fits on every split"
    rows = [_row(fit, evaluations.get(fit.name, {})) for fit in fits]
    together = evaluations.keys() - {fit.name for fit in fits}
    rows += [(name, None, None, *_errors(evaluations[name]), None) for name in sorted(together)]
    if quantity.is_age:
        rows += [
            (f"paper: {row.training}", None, None, row.training_loss, row.validation_loss, row.test_loss, None)
            for row in TABLE_3
        ]
        caption += f", and below them the paper's, {WITH_PENALTY}"
    return Table("table-3-fits", f"{caption}.", columns, tuple(rows))


def _row(fit: FitRecord, found: Mapping[str, Evaluation]) -> tuple[Cell, ...]:
    hours = sum(row.seconds for row in fit.history) / 3600
    return (f"{fit.name} ({_how(fit)})", len(fit.history), fit.kept.epoch, *_errors(found), hours)


def _errors(found: Mapping[str, Evaluation]) -> tuple[float | None, ...]:
    return tuple(found[split].mae if split in found else None for split in SPLITS)


def _how(fit: FitRecord) -> str:
    own = fit.settings
    return (
        f"recipe {fit.recipe}, learning rate {own['learning_rate']:.3g}, L2 {own['l2']:.3g}, "
        f"batch {own['batch_size']}, seed {own['seed']}"
    )


def _curve(place: int, fit: FitRecord) -> Figure:
    return Figure(
        f"figure-5-6-fit-{place}",
        f"Figures 5 and 6. Training and validation error of {fit.name}, {_how(fit)}.",
        f"Learning curves of {counted(len(fit.history), 'epoch')}; the lowest validation error is "
        f"{decimal(fit.kept.validation_mae, '.2f')}.",
        learning_curve(fit.history, fit.quantity),
    )
