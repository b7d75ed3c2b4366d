"""Tables of configurations: Table II next to the paper's, and the finalists."""

from collections.abc import Mapping, Sequence

from search.counting import amounts
from search.report.paper import TABLE_2, PaperTrial, is_papers
from search.report.sections import Cell, Column, Table
from search.results.ranking import RankedTrial, parameters_of
from search.results.verdict import Finalist, Verdict
from search.space.parameters import Parameter
from search.space.ranges import Value
from search.study.study import Study
from search.study.task import TaskSpec

SHOWN = 5
"""The paper's Table II has five trials."""


def table_2(study: Study, ranked: Sequence[RankedTrial]) -> Table:
    """Return the first of ranked trials, next to the paper's if it is the paper's task."""
    best, task = ranked[:SHOWN], study.spec.task
    varied = parameters_of(study, [trial.params for trial in best])
    columns = (
        Column("trial"),
        Column("stage"),
        Column(task.score.label, ".3f"),
        *(Column(task.score.labelled(measured.title), ".3f") for measured in task.measures),
        *_columns(varied),
    )
    rows: list[tuple[Cell, ...]] = [
        (str(trial.number), str(trial.stage), trial.score, *_measures(task, trial), *_cells(trial.params, varied))
        for trial in best
    ]
    caption, note = f"Table II. The {'best trial' if len(best) == 1 else f'{len(best)} best trials'}", ""
    if is_papers(task):
        rows += [("paper", "2", one.validation_loss, one.training_loss, *_paper(one, varied)) for one in TABLE_2]
        caption, note = f"{caption}, and below them the paper's five", " The paper's have the L2 penalty in them."
    caption += f".{note} Each row is a single training, whose noise is not small compared with the differences."
    return Table("table-2-search", caption, columns, tuple(rows))


def finalist_table(study: Study, judged: Verdict) -> Table:
    """Return what the finalists came to on fresh seeds, the best mean first."""
    varied, score = parameters_of(study, [one.params for one in judged.finalists]), study.spec.task.score
    columns = (
        Column("finalist: trial"),
        Column(score.labelled(f"mean {score.name}"), ".3f"),
        Column("± standard error", ".3f"),
        Column("behind the best", ".3f"),
        Column("± its error", ".3f"),
        Column("tied with it"),
        Column("in the search", ".3f"),
        *_columns(varied),
    )
    caption = (
        f"The finalists, each trained again on {judged.repeats} fresh seeds and subsets "
        f"({amounts(judged.budget)}). Chosen: {judged.sentence}."
    )
    rows = tuple(_finalist(one, one is judged.best, varied) for one in judged.finalists)
    return Table("finalists", caption, columns, rows)


def _measures(task: TaskSpec, trial: RankedTrial) -> tuple[float, ...]:
    return tuple(trial.measure(measured.name) for measured in task.measures)


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
