"""`agesearch report`, `compare` and `summary`: what has been found, beside the paper, and beside each other."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.commands.options import AsJson, takes_settings
from search.commands.printing import answer, answer_json, columns
from search.commands.search import dataset_of, study_of
from search.errors import SearchError
from search.settings import Settings

if TYPE_CHECKING:
    from model.network import Network
    from model.quantity import Quantity
    from search.report.report import Sources
    from search.report.sections import LeftOut
    from search.results.comparing import StudyComparison
    from search.study.study import Study

Fits = Annotated[
    list[Path] | None,
    typer.Option("--fit", help="A folder that 'agesearch fit' wrote; the first is reported, others are compared."),
]
CHOSE_THE_EPOCHS = "this is the split that chose each fit's epoch, which favours the longer fit a little"

Compared = Annotated[str, typer.Argument(help="The folder of a fit, or the name of a study in the storage.")]


@takes_settings("data", "study", "storage", "artifacts")
def report(
    settings: Settings,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write to. Default: report in the folder of the setting out."),
    ] = None,
    fits: Fits = None,
    as_json: AsJson = False,
) -> None:
    """Write one page with every table and figure beside the paper's, and CSV and PNG files; reads the test split."""
    from data.files import check_writable
    from search.report.report import PAGE, make_report, write_report
    from search.storage.database import quieten_optuna

    folder = out or settings.out / "report"
    check_writable(folder / PAGE)
    quieten_optuna()
    made = make_report(_sources(settings, tuple(fits or ())))
    page = write_report(made, folder)
    if as_json:
        titles = [each.title for each in made.sections]
        answer_json({"page": str(page), "sections": titles, "left_out": made.left_out})
        return
    for each in made.left_out:
        answer(f"left out: {each.title}: {each.reason}")
    answer(f"{page}: {len(made.figures)} figures, {len(made.tables)} tables")


@takes_settings("data", "storage")
def compare(
    settings: Settings,
    first: Compared,
    second: Compared,
    split: Annotated[str, typer.Option(help="For fits: training, validation, or test.")] = "validation",
    as_json: AsJson = False,
) -> None:
    """Compare two fits on the same images, or two studies: a paired bootstrap; below 0, the first is better."""
    # Not Path's, which fails for the name of a study that is too long for a file's.
    folders = [os.path.isdir(each) for each in (first, second)]  # noqa: PTH112
    if any(folders) and not all(folders):
        wrong = second if folders[0] else first
        raise SearchError(f"{wrong!r} is not a folder, but the other one is; give two folders of fits or two studies")
    if all(folders):
        _compare_fits(settings, (first, second), split, as_json)
    else:
        _compare_studies(settings, (first, second), as_json)


@takes_settings("data", "network")
def summary(
    settings: Settings,
    recipe: Annotated[str, typer.Option(help="The recipe whose network it is: default, paper, strong, light.")] = (
        "default"
    ),
    figure: Annotated[Path | None, typer.Option(help="Draw the network (Figure 4) to this PNG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print a network, the paper's or your own, layer by layer, as the paper's appendix does, and draw it."""
    from data.files import write_bytes
    from model.network_figure import draw_network
    from model.summary import summary as listing
    from model.summary import summary_rows

    network = _network(settings, recipe)
    if figure:
        write_bytes(figure, draw_network(network))
    if as_json:
        counts = {"parameters": network.parameters, "trainable_parameters": network.trainable_parameters}
        answer_json({"layers": summary_rows(network), **counts})
        return
    answer(listing(network))


def _network(settings: Settings, recipe: str) -> "Network":
    """Return the network of a recipe, or the user's own, for the dataset's images or the paper's."""
    from data.dataset import inspect_dataset
    from model.paper import PAPER_SHAPE
    from search.space.network_file import read_network
    from search.space.variation import recipe_for, varied

    own = None if settings.network is None else read_network(settings.network)
    shape = PAPER_SHAPE if settings.data is None else inspect_dataset(settings.data).image_shape
    return varied(recipe_for(recipe, own), shape, {}).network()


def _sources(settings: Settings, fits: tuple[Path, ...]) -> "Sources":
    """Return what there is to report on; what was not named and is not there is left out."""
    from search.fit.folder import has_ended
    from search.report.experiments import TITLES
    from search.report.report import Sources
    from search.report.sections import LeftOut
    from search.storage.artifacts import artifact_folder

    left_out = []
    if settings.data is None:
        left_out.append(LeftOut("Dataset", "no dataset is named; give --data FILE.h5"))
    study = _study(settings)
    if isinstance(study, LeftOut):
        left_out.append(study)
    usual = settings.out / "fit"
    if not fits and has_ended(usual):
        fits = (usual,)
    if not fits:
        left_out.append(LeftOut("Final fit and its errors", f"no fit is named and {usual} holds none; give --fit DIR"))
    experiments = _experiments(settings)
    left_out += [LeftOut(TITLES[name], _unrun(name)) for name, found in experiments.items() if found is None]
    ran = tuple(found for found in experiments.values() if found is not None)
    found = None if isinstance(study, LeftOut) else study
    return Sources(settings.data, found, fits, tuple(left_out), ran, artifact_folder(settings))


def _experiments(settings: Settings) -> "dict[str, Study | None]":
    from search.report.experiments import TITLES, experiments_beside
    from search.storage.database import open_storage

    try:
        return experiments_beside(open_storage(settings.storage), settings.study)
    except SearchError:  # there is no storage, which has been said of the search
        return dict.fromkeys(TITLES)


def _unrun(name: str) -> str:
    return f"it was not run; 'agesearch experiment {name}' runs it"


def _study(settings: Settings) -> "Study | LeftOut":
    from search.report.sections import LeftOut

    try:
        return study_of(settings)
    except SearchError as error:
        if settings.model_fields_set & {"study", "storage"}:
            raise
        return LeftOut("Search", str(error))


def _compare_fits(settings: Settings, names: tuple[str, str], split: str, as_json: bool) -> None:
    from data.dataset import inspect_dataset, read_split
    from model.comparison import compare as compared
    from model.evaluation import evaluate
    from model.quantity import Quantity
    from search.commands.fit import remark_foreign
    from search.fit.record import predict

    examples, quantity = read_split(dataset_of(settings), split), Quantity(inspect_dataset(dataset_of(settings)).unit)
    foreign = [remark_foreign(Path(name), dataset_of(settings)) for name in names]
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
    answer(found.sentence(quantity))
    if split == "validation" and not any(foreign):
        answer(CHOSE_THE_EPOCHS)


def _compare_studies(settings: Settings, names: tuple[str, str], as_json: bool) -> None:
    from model.quantity import Quantity
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
    alike = first.spec.recipe == second.spec.recipe
    heading, *rows = table(found.best if alike else [replace(each, score=each.validation_mae) for each in found.best])
    counted = zip(found.names, found.trials, rows, strict=True)
    answer(columns([("study", "with a value", *heading), *((name, str(n), *row) for name, n, row in counted)]))
    for line in comparison_lines(found, Quantity(first.spec.unit)):
        answer(line)


def comparison_lines(found: "StudyComparison", quantity: "Quantity") -> list[str]:
    """Return what can be said of two studies beyond their best trials, as text."""
    from model.quantity import decimal

    lines = [
        f"{name}: its best finalist scores {quantity.error(best.mean, best.standard_error)} "
        f"over {len(best.scores)} seeds ({best.images} images, {best.epochs} epochs)"
        for name, best in zip(found.names, found.chosen, strict=True)
        if best
    ]
    if found.difference:
        mean, deviation = found.difference
        apart = quantity.amount(f"{decimal(mean, '+.3f')} ± {decimal(deviation)}")
        lines.append(f"difference of the finalists {apart} (standard error)")
    elif len(lines) == 2:
        lines.append("the finalists had different budgets or recipes, so their scores are not comparable")
    if found.paired:
        lines.append(f"over the trials that both ran alike, validation MAE: {found.paired.sentence(quantity)}")
    else:
        lines.append("too few trials have the same configuration, budget and seeds to compare the studies in pairs")
    return lines
