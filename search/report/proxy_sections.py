"""What a short trial is worth, in the report: each judge's scores against what longer trainings came to."""

import math
from collections.abc import Mapping, Sequence

from model.figures.plotting import MUTED, PALETTE, new_figure, plain, png
from model.results.quantity import Quantity
from search.report.agreement import Agreement, Correlation
from search.report.proxy import REFERENCE, Proxy
from search.report.sections import Cell, Column, Figure, Section, Table, Words

PANELS = 3
"""Judges side by side in one row of the figure."""


def proxy_section(words: Words, found: Proxy) -> Section:
    """Show the agreement of each judge with the long trainings."""
    reference = next(each for each in found.experiment.variants if each.group == REFERENCE)
    said = (
        f"The reference is the lowest validation error of a training on {reference.budget['images']} images for "
        f"{reference.budget['epochs']} epochs, always under the recipe {reference.params['recipe']}, by which trials "
        "of another recipe are judged, too. Every trial has seeds of its own, as in a search; intervals are at 95 %, "
        "of drawing the configurations anew. Regret is what the pick of the best score loses in the reference, and "
        "what a search loses that looks again at the five best: it chooses the best mean of their other trials.",
    )
    figure = Figure(
        "proxy",
        words.caption,
        f"Scores of {len(found.scores)} judges against the reference.",
        draw_agreement(found.scores, found.reference, words.quantity),
    )
    tables = (_table(found.judges, words.quantity), _configurations(found, words.quantity))
    return Section(words.title, (*words.text, *said), (figure, *tables))


def draw_agreement(
    scores: Mapping[str, Sequence[Sequence[float]]], reference: Sequence[float], quantity: Quantity
) -> bytes:
    """Draw a panel for each judge: a mark for each trial, the configuration's reference upwards; as a PNG."""
    rows = math.ceil(len(scores) / PANELS)
    figure = new_figure(9.2, 3.0 * rows)
    places = figure.subplots(rows, min(PANELS, len(scores)), sharey=True, squeeze=False).flat
    for (name, of_judge), axes in zip(scores.items(), places, strict=False):  # in this order no place is lost
        points = [(score, goal) for row, goal in zip(of_judge, reference, strict=True) for score in row]
        shown = [point for point in points if all(map(math.isfinite, point))]
        axes.plot(
            [score for score, _ in shown], [goal for _, goal in shown], "o", color=PALETTE[0], markersize=4, alpha=0.7
        )
        plain(axes, quantity.label("score of a trial"), quantity.label("reference"))
        axes.set_title(name, fontsize=9, loc="left", color=MUTED)
    for axes in list(places):
        axes.set_visible(False)
    return png(figure)


def _table(judges: Mapping[str, Agreement], quantity: Quantity) -> Table:
    columns = (
        Column("a trial's recipe and budget"),
        Column("configurations", "d"),
        Column("trials each", "d"),
        Column("Spearman, one trial", ".2f", like=1.0),
        Column("95 % interval"),
        Column("Spearman, mean of all but one", ".2f", like=1.0),
        Column("95 % interval"),
        Column(quantity.label("SD of one trial"), ".2f"),
        Column(quantity.label("regret, best trial"), ".2f"),
        Column(quantity.label("regret, finalists"), ".2f"),
    )
    rows = [_row(name, found) for name, found in judges.items()]
    return Table("proxy", "What a trial's score is worth.", columns, tuple(rows))


def _row(name: str, found: Agreement) -> tuple[Cell, ...]:
    counts = (found.configurations, found.repeats)
    single, averaged = (_shown(each) for each in (found.single, found.averaged))
    noise = None if math.isnan(found.noise) else found.noise
    return (name, *counts, *single, *averaged, noise, found.regret, found.chosen_regret)


def _shown(found: Correlation) -> tuple[Cell, Cell]:
    return found.value, f"{found.low:.2f} to {found.high:.2f}".replace("-", "−")


def _configurations(found: Proxy, quantity: Quantity) -> Table:
    long = [each for each in found.experiment.variants if each.group == REFERENCE]
    columns = (
        Column("configuration", "d"),
        Column("learning rate", ".3e"),
        Column("L2", ".3e"),
        Column(quantity.label("reference"), ".3f"),
        *(Column(f"{name} (mean score)", ".3f") for name in found.scores),
    )
    rows = [
        (
            place,
            variant.params["learning_rate"],
            variant.params["l2"],
            _finite(found.reference[place]),
            *(_finite(sum(scores[place]) / len(scores[place])) for scores in found.scores.values()),
        )
        for place, variant in enumerate(long)
    ]
    return Table("proxy-configurations", "The configurations and their scores.", columns, tuple(rows), folded=True)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
