"""What the fitted models are worth on the test split: errors and their doubt, whose faces are hard, calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.arrays import Split
from data.statistics import gallery
from model.arrays import Labels
from model.figures.error_figures import calibration, error_by_group, predicted_against_true
from model.results.error_groups import ErrorGroup, by_label, by_prediction
from model.results.evaluation import Evaluation, evaluate
from model.results.quantity import Quantity
from search.counting import decimal
from search.report.paper import BEST_TEST_LOSS, LOWEST_TEST_LOSS
from search.report.sections import Cell, Column, Figure, Section, Table
from search.results.paired import compare

SHOWN = 4
"""The paper's Figures 7 and 8 have four images each."""

UNPAIRED = (
    "The paper's own predictions are not known, so that its figures can be set next to these, but not compared image "
    "by image; its losses have the L2 penalty in them."
)


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """A model on the test split: its name, its predictions and of what they are, and what they are worth."""

    name: str
    predictions: Labels
    evaluation: Evaluation
    quantity: Quantity


def result_sections(test: Split, models: Sequence[FittedModel]) -> tuple[Section, ...]:
    """Show what `models` are worth on the test split: the first one in full, the others compared with it."""
    first = models[0]
    found = first.evaluation
    error = first.quantity.error(found.mae, found.standard_error)
    headline = (
        f"{first.name}: test MAE {error} (standard error) over {found.images:,} images. Always answering the split's "
        f"own median would score {decimal(found.constant_mae, '.2f', found.mae)}."
    )
    beside = (UNPAIRED,) if first.quantity.is_age else ()
    compared = (comparison_table(models, test.labels),) if len(models) > 1 and len(test.labels) > 1 else ()
    return (
        Section("Result", (headline, *beside), (result_table(models), *compared)),
        _errors(first, test.labels),
        _faces(first, test),
    )


def result_table(models: Sequence[FittedModel]) -> Table:
    """Return the models' figures on the test split, and the paper's, if it is ages."""
    quantity = models[0].quantity
    columns = (
        Column("model"),
        Column(quantity.label("test MAE"), ".3f"),
        Column("± standard error", ".3f"),
        Column("median error", ".2f"),
        Column("RMSE", ".2f"),
        Column("bias", "+.2f"),
        Column("images", ",d"),
    )
    ours: list[tuple[Cell, ...]] = [
        (one.name, found.mae, found.standard_error, found.median_error, found.rmse, found.bias, found.images)
        for one in models
        for found in (one.evaluation,)
    ]
    nothing = (None,) * 5
    papers: list[tuple[Cell, ...]] = [
        ("paper: its final result", BEST_TEST_LOSS, *nothing),
        ("paper: lowest of any run, in its text alone", LOWEST_TEST_LOSS, *nothing),
    ]
    rows = (*ours, *papers) if quantity.is_age else tuple(ours)
    return Table("result", "Errors on the test split.", columns, rows)


def comparison_table(models: Sequence[FittedModel], labels: Labels) -> Table:
    """Return the paired bootstrap of the first model against each of the others."""
    first, *others = models
    found = {other.name: compare(first.predictions, other.predictions, labels) for other in others}
    one = next(iter(found.values()))
    columns = (
        Column("against"),
        Column(first.quantity.label("difference of MAE"), "+.3f"),
        Column("from", "+.3f"),
        Column("to", "+.3f"),
        Column("verdict"),
    )
    rows = [
        (name, each.mean, each.low, each.high, "tied" if each.tied else "better" if each.mean < 0 else "worse")
        for name, each in found.items()
    ]
    caption = (
        f"{first.name} against the others on the same {one.pairs:,} images: below 0, it has the smaller error. "
        f"{one.confidence:.0%} percentile interval of a paired bootstrap, {one.resamples:,} resamples, seed 0, widened "
        "as the number of images needs it. Each interval stands alone: none is adjusted for how many there are."
    )
    return Table("comparison", caption, columns, tuple(rows))


def _errors(model: FittedModel, labels: Labels) -> Section:
    quantity, noun = model.quantity, model.quantity.noun
    groups, predicted = by_label(model.predictions, labels), by_prediction(model.predictions, labels)
    parts = (
        Figure(
            f"error-by-{noun}",
            f"Error by {noun} group on the test split, {model.name}.",
            "; ".join(f"{quantity.amount(group.name)}: {group.mae:.3g}" for group in groups),
            error_by_group(groups, model.evaluation.mae, quantity),
        ),
        _group_table(f"error-by-{noun}", f"Error by {noun} group: true {noun}.", groups, quantity),
        Figure(
            "predicted-against-true",
            f"Predicted against true {noun}, a dot for each image of the test split.",
            f"{len(labels)} dots around the diagonal.",
            predicted_against_true(model.predictions, labels, quantity),
        ),
        Figure(
            "calibration",
            f"Calibration by {noun}. Left: on average, by how much {noun}s are over- or underestimated. Right: what "
            "predictions turn out to be, in groups of predictions.",
            "; ".join(f"{quantity.amount(group.name)}: {group.bias:+.3g}" for group in groups),
            calibration(groups, predicted, quantity),
        ),
        _group_table("calibration", f"Calibration: predicted {noun}.", predicted, quantity),
    )
    return Section(f"Errors by {noun}", (), parts)


def _group_table(name: str, caption: str, groups: Sequence[ErrorGroup], quantity: Quantity) -> Table:
    noun = quantity.noun
    spread = _spread([group.mean_label for group in groups])
    columns = (
        Column(quantity.label(f"{noun} group")),
        Column("images", ",d"),
        Column(quantity.label("MAE"), ".2f"),
        Column("± standard error", ".2f"),
        Column("bias", "+.2f"),
        Column("± standard error of the bias", ".2f"),
        Column(f"mean true {noun}", ".1f", spread),
        Column(f"mean predicted {noun}", ".1f", spread),
    )
    rows = [
        (
            each.name,
            each.count,
            each.mae,
            each.standard_error,
            each.bias,
            each.bias_error,
            each.mean_label,
            each.mean_prediction,
        )
        for each in groups
    ]
    return Table(f"{name}-groups", caption, columns, tuple(rows))


def _faces(model: FittedModel, test: Split) -> Section:
    errors = np.abs(model.predictions.astype(np.float64) - test.labels)
    order = np.argsort(errors, kind="stable")
    places = {"best": order[:SHOWN], "worst": order[::-1][:SHOWN]}
    figures = tuple(
        Figure(
            f"figure-{number}-{which}",
            f"Figure {number}. The {len(places[which])} {which} predictions on the test split.",
            "; ".join(_caption(model, test, place, ", ") for place in places[which]),
            gallery(test.images[places[which]], [_caption(model, test, place, "\n") for place in places[which]]),
        )
        for number, which in ((7, "best"), (8, "worst"))
    )
    columns = (
        Column("prediction"),
        Column("image"),
        Column(f"true {model.quantity.noun}", ".7g"),
        Column(f"predicted {model.quantity.noun}", ".2f", _spread(test.labels.tolist())),
        Column("error", ".2f"),
    )
    rows = [
        (which, test.names[place], float(test.labels[place]), float(model.predictions[place]), float(errors[place]))
        for which, those in places.items()
        for place in those
    ]
    table = Table("figure-7-8-images", "The images of Figures 7 and 8.", columns, tuple(rows))
    return Section("Best and worst predictions", (), (*figures, table))


def _caption(model: FittedModel, test: Split, place: int, between: str) -> str:
    form = ".1f" if model.quantity.is_age else ".2f"
    predicted = decimal(float(model.predictions[place]), form, _spread(test.labels.tolist()))
    return f"true {test.labels[place]:.7g}{between}predicted {predicted}"


def _spread(labels: Sequence[float]) -> float:
    return max(labels) - min(labels)


def by_name(
    models: Mapping[str, Mapping[str, Labels]], splits: Mapping[str, Split]
) -> dict[str, dict[str, Evaluation]]:
    """Evaluate every model on every split that it has predictions of."""
    return {
        name: {split: evaluate(found, splits[split].labels) for split, found in predictions.items()}
        for name, predictions in models.items()
    }
