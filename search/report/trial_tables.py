"""Tables of configurations: Table II beside the paper's, and the finalists."""

from collections.abc import Mapping, Sequence

from model.quantity import Quantity
from search.counting import budget
from search.report.paper import TABLE_2, PaperTrial
from search.report.sections import Cell, Column, Table
from search.results.ranking import RankedTrial, parameters_of
from search.results.verdict import Finalist, Verdict
from search.space.parameters import Parameter
from search.space.ranges import Value

SHOWN = 5
"""The paper's Table II has five trials."""


def table_2(ranked: Sequence[RankedTrial], quantity: Quantity) -> Table:
    """Return the first of ranked trials, beside the paper's if it is ages."""
    best = ranked[:SHOWN]
    varied = parameters_of([trial.params for trial in best])
    penalised = any(trial.score != trial.validation_mae for trial in best)
    columns = (
        Column("trial"),
        Column("stage"),
        Column(quantity.label("validation MAE + penalty" if penalised else "validation MAE"), ".3f"),
        Column(quantity.label("training MAE"), ".3f"),
        *_columns(varied),
    )
    rows: list[tuple[Cell, ...]] = [
        (str(one.number), str(one.stage), one.score, one.training_mae, *_cells(one.params, varied)) for one in best
    ]
    caption, note = f"Table II. The {'best trial' if len(best) == 1 else f'{len(best)} best trials'}", ""
    if quantity.is_age:
        rows += [("paper", "2", one.validation_loss, one.training_loss, *_paper(one, varied)) for one in TABLE_2]
        caption, note = f"{caption}, and below them the paper's five", " The paper's have the L2 penalty in them."
    caption += f".{note} Each row is a single training, whose noise is not small compared with the differences."
    return Table("table-2-search", caption, columns, tuple(rows))


def finalist_table(judged: Verdict, quantity: Quantity) -> Table:
    """Return what the finalists came to on fresh seeds, the best mean first."""
    varied = parameters_of([one.params for one in judged.finalists])
    columns = (
        Column("finalist: trial"),
        Column(quantity.label("mean validation MAE"), ".3f"),
        Column("± standard error", ".3f"),
        Column("behind the best", ".3f"),
        Column("± its error", ".3f"),
        Column("tied with it"),
        Column("in the search", ".3f"),
        *_columns(varied),
    )
    caption = (
        f"The finalists, each trained again on {judged.repeats} fresh seeds and subsets "
        f"({budget(judged.images, judged.epochs)}). Chosen: {judged.sentence}."
    )
    rows = tuple(_finalist(one, one is judged.best, varied) for one in judged.finalists)
    return Table("finalists", caption, columns, rows)


def _finalist(one: Finalist, is_best: bool, varied: Sequence[Parameter]) -> tuple[Cell, ...]:
    trials = ", ".join(map(str, one.trials))
    tied = "–" if one.behind is None else "the best" if is_best else "yes" if one.tied else "no"
    measured = (one.mean, one.standard_error, one.behind, one.behind_error)
    return (trials, *measured, tied, one.search_score, *_cells(one.params, varied))


def _columns(varied: Sequence[Parameter]) -> tuple[Column, ...]:
    return tuple(Column(each.heading, each.form, like=1.0) for each in varied)


def _cells(params: Mapping[str, Value], varied: Sequence[Parameter]) -> tuple[Cell, ...]:
    return tuple(each.in_table(params[each.name]) if each.name in params else None for each in varied)


def _paper(trial: PaperTrial, varied: Sequence[Parameter]) -> tuple[Cell, ...]:
    known = {"learning_rate": trial.log_learning_rate, "l2": trial.log_l2}
    return tuple(known.get(each.name) for each in varied)
