"""`agesearch compare`: two fits on the same images, or two studies, next to each other."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.fitted import remark_foreign
from search.cli.options import AsJson, takes_settings
from search.cli.printing import answer, answer_json, columns
from search.counting import amounts, counted, decimal
from search.errors import SearchError
from search.settings.settings import Settings

if TYPE_CHECKING:
    from search.results.comparing import StudyComparison
    from search.study.task import TaskSpec

CHOSE_THE_EPOCHS = "this is the split that chose each fit's epoch, which favours the longer fit a little"

Compared = Annotated[str, typer.Argument(help="The folder of a fit, or the name of a study in the storage.")]


@takes_settings("data", "storage")
def compare(
    settings: Settings,
    first: Compared,
    second: Compared,
    split: Annotated[str, typer.Option(help="For fits: training, validation, or test.")] = "validation",
    as_json: AsJson = False,
) -> None:
    """Compare two fits on the same images, or two studies: a paired bootstrap; below 0, the first is better."""
    first, second = map(_folder_of, (first, second))
    # Not Path's, which fails for the name of a study that is too long for a file's.
    folders = [os.path.isdir(each) for each in (first, second)]  # noqa: PTH112
    if any(folders) and not all(folders):
        wrong = second if folders[0] else first
        raise SearchError(f"{wrong!r} is not a folder, but the other one is; give two folders of fits or two studies")
    if all(folders):
        _compare_fits(settings, (first, second), split, as_json)
    else:
        _compare_studies(settings, (first, second), as_json)


def _folder_of(name: str) -> str:
    """Return the folder of a fit, where its model is named; whatever else may be the name of a study."""
    from search.tasks.images.fit_folder import MODEL, fit_folder

    return str(fit_folder(Path(name))) if name.endswith(MODEL) else name


def _compare_fits(settings: Settings, names: tuple[str, str], split: str, as_json: bool) -> None:
    from data.dataset import inspect_dataset, read_split
    from model.results.evaluation import evaluate
    from model.results.quantity import Quantity
    from search.results.paired import compare as compared
    from search.tasks.images.fit_record import predict

    dataset = settings.require_data()
    examples, quantity = read_split(dataset, split), Quantity(inspect_dataset(dataset).unit)
    foreign = [remark_foreign(Path(name), dataset) for name in names]
    predictions = [predict(Path(name), {split: examples.images})[split] for name in names]
    errors = [evaluate(each, examples.labels) for each in predictions]
    found = compared(predictions[0], predictions[1], examples.labels)
    if as_json:
        by_name = [{"model": name, **each.as_dict()} for name, each in zip(names, errors, strict=True)]
        answer_json({"split": split, "unit": quantity.unit, "models": by_name, "difference": found.as_dict()})
        return
    for name, each in zip(names, errors, strict=True):
        error = quantity.error(each.mae, each.standard_error)
        answer(f"{name}: {split} MAE {error} over {each.images} images")
    answer(found.sentence(quantity.unit, names))
    if split == "validation" and not any(foreign):
        answer(CHOSE_THE_EPOCHS)


def _compare_studies(settings: Settings, names: tuple[str, str], as_json: bool) -> None:
    from search.results.comparing import compare_studies
    from search.results.ranking import table
    from search.storage.database import open_storage
    from search.study.study import load_study

    storage = open_storage(settings.storage)
    first, second = (load_study(storage, name) for name in names)
    found = compare_studies(first, second)
    if as_json:
        answer_json(found.as_dict())
        return
    task = first.spec.task
    measure = task.coloured_name if task.score != second.spec.task.score else ""  # what both have alike
    heading, *rows = table(first, [replace(trial, score=trial.measure(measure)) for trial in found.best])
    if measure and task.coloured:
        heading = tuple(task.coloured.title if title == task.score.name else title for title in heading)
    counts = zip(found.names, found.trials, rows, strict=True)
    answer(columns([("study", "with a value", *heading), *((name, str(n), *row) for name, n, row in counts)]))
    for line in comparison_lines(found, task):
        answer(line)


def comparison_lines(found: "StudyComparison", task: "TaskSpec") -> list[str]:
    """Return what can be said of two studies beyond their best trials, as text."""
    score = task.score
    lines = [
        f"{name}: its best finalist scores {score.shown(best.mean, best.standard_error)} "
        f"over {counted(len(best.scores), 'seed')}" + (f" ({amounts(best.budget)})" if best.budget else "")
        for name, best in zip(found.names, found.chosen, strict=True)
        if best
    ]
    if found.difference:
        mean, deviation = found.difference
        apart = f"{decimal(mean, '+.3f', deviation)} ± {decimal(deviation)} {score.unit}".rstrip()
        lines.append(f"difference of the finalists {apart} (standard error)")
    elif len(lines) == 2:
        lines.append("the finalists had different budgets or scores, so their scores are not comparable")
    if found.paired:
        said = found.paired.sentence(score.unit, found.names, score.direction)
        measure = task.coloured.title if task.coloured else score.name
        lines.append(f"over the trials that both ran alike, {measure}: {said}")
    else:
        lines.append("too few trials have the same configuration, budget and seeds to compare the studies in pairs")
    return lines
