"""Tables of configurations: Table II beside the paper's, and the finalists."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution

from model.quantity import Quantity
from search.report.paper import TABLE_2, PaperTrial
from search.report.sections import Cell, Column, Table
from search.report.study_trials import ShownTrial
from search.results.verdict import Finalist, Verdict
from search.space.parameters import name_of

SHOWN = 5
"""The paper's Table II has five trials."""

Distributions = Mapping[str, BaseDistribution]


def table_2(trials: Sequence[ShownTrial], quantity: Quantity) -> Table:
    """Return the best trials, beside the paper's if it is ages; parameters sampled as logarithms are shown as log10."""
    best = sorted(trials, key=lambda trial: (trial.score, trial.stage, trial.slot))[:SHOWN]
    spaces = {name: space for trial in best for name, space in trial.distributions.items()}
    penalised = any(trial.score != trial.validation_mae for trial in best)
    columns = (
        Column("trial"),
        Column("stage"),
        Column(quantity.label("validation MAE + penalty" if penalised else "validation MAE"), ".3f"),
        Column(quantity.label("training MAE"), ".3f"),
        *_columns(spaces),
    )
    rows: list[tuple[Cell, ...]] = [
        (str(one.number), str(one.stage), one.score, one.training_mae, *_cells(one.params, spaces)) for one in best
    ]
    caption, note = f"Table II. The {len(best)} best trials", ""
    if quantity.is_age:
        rows += [("paper", "2", one.validation_loss, one.training_loss, *_paper(one, spaces)) for one in TABLE_2]
        caption, note = f"{caption}, and below them the paper's five", " The paper's have the L2 penalty in them."
    caption += f".{note} Each row is one training: the noise of one is not small beside the differences."
    return Table("table-2-search", caption, columns, tuple(rows))


def finalist_table(judged: Verdict, spaces: Distributions, quantity: Quantity) -> Table:
    """Return what the finalists came to on fresh seeds, the best mean first."""
    columns = (
        Column("finalist: trial"),
        Column(quantity.label("mean validation MAE"), ".3f"),
        Column("± standard error", ".3f"),
        Column("behind the best", ".3f"),
        Column("± its error", ".3f"),
        Column("tied with it"),
        Column("in the search", ".3f"),
        *_columns(spaces),
    )
    caption = (
        f"The finalists, each trained again on {judged.repeats} fresh seeds and subsets ({judged.images} images, "
        f"{judged.epochs} epochs). Chosen: {judged.rule}."
    )
    return Table("finalists", caption, columns, tuple(_finalist(one, spaces) for one in judged.finalists))


def text_of(value: Any) -> str:
    """Return a parameter's value as people write it."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _finalist(one: Finalist, spaces: Distributions) -> tuple[Cell, ...]:
    trials = ", ".join(map(str, one.trials))
    tied = "–" if one.behind is None else "the best" if not one.behind else "yes" if one.tied else "no"
    measured = (one.mean, one.standard_error, one.behind, one.behind_error)
    return (trials, *measured, tied, one.search_score, *_cells(one.params, spaces))


def _columns(spaces: Distributions) -> tuple[Column, ...]:
    return tuple(
        Column(f"log10({name_of(name)})", ".3f") if _is_log(space) else Column(name_of(name), _form(space))
        for name, space in spaces.items()
    )


def _cells(params: Mapping[str, Any], spaces: Distributions) -> tuple[Cell, ...]:
    return tuple(_cell(params.get(name), space) for name, space in spaces.items())


def _cell(value: Any, space: BaseDistribution) -> Cell:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return math.log10(value) if _is_log(space) else value
    return None if value is None else str(value)


def _form(space: BaseDistribution) -> str:
    """Return how a parameter's values are shown: as text, with three decimals, or whole and choices as they are."""
    choices = getattr(space, "choices", ())
    if any(isinstance(choice, str | bool) for choice in choices):
        return ""
    return ".3f" if isinstance(space, FloatDistribution) else "g"


def _is_log(space: BaseDistribution) -> bool:
    return bool(getattr(space, "log", False))


def _paper(trial: PaperTrial, spaces: Distributions) -> tuple[Cell, ...]:
    known = {"learning_rate": trial.log_learning_rate, "l2": trial.log_l2}
    return tuple(known.get(name) for name in spaces)
