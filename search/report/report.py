"""The whole report: its sections gathered from a dataset, a study and fits, and written to a folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from data.arrays import SPLITS
from data.dataset import inspect_dataset, read_split
from data.files import Kind, check_replaceable
from model.arrays import Labels
from model.errors import ModelError
from model.network.paper import PAPER_SHAPE
from model.results.quantity import YEARS, Quantity
from model.training.recipe import recipe_named
from search.errors import SearchError
from search.report.dataset_sections import dataset_section
from search.report.experiments import experiment_section
from search.report.fit_sections import fit_section
from search.report.kept_networks import evaluate_kept
from search.report.network_sections import network_section
from search.report.page import page
from search.report.result_sections import FittedModel, by_name, result_sections
from search.report.search_sections import search_section
from search.report.sections import Figure, LeftOut, Part, Report, Section, Table
from search.report.writing import LIST, write_files
from search.results.choice import choose
from search.results.ranking import best_score
from search.space.ranges import Value
from search.storage.artifacts import ArtifactFolder
from search.study.study import Study
from search.tasks.images.fit_folder import members, require_fitted_for
from search.tasks.images.fit_record import FitRecord, averaged, predict_members, read_fit
from search.tasks.images.specifying import network_of, recipe_of
from search.tasks.images.variation import NETWORK, recipe_for, varied

PAGE = "report.html"

Gathered = tuple[Section | LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What a report is made of; None or () for what there is not, with the reason in `left_out`.

    `artifacts` is the folder with the files that the experiments' trials have kept.
    """

    dataset: Path | None
    study: Study | None
    fits: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()
    experiments: tuple[Study, ...] = ()
    artifacts: ArtifactFolder | None = None


def make_report(sources: Sources) -> Report:
    """Gather a report: the first fit is reported in full, the others, and an ensemble's members, are compared with it.

    Reads the test split. Raises SearchError, ModelError or DatasetError where a source cannot be used.
    """
    fits = _fits(sources)
    quantity = _quantity(sources, fits)
    title = f"{'Age estimation' if quantity.is_age else 'Image regression'}: the report"
    gathered: Gathered = (
        *_results(sources, fits),
        *((search_section(sources.study),) if sources.study else ()),
        *_experiments(sources),
        *((dataset_section(sources.dataset),) if sources.dataset else ()),
        _network(sources, fits, quantity),
    )
    sections = tuple(each for each in gathered if isinstance(each, Section))
    left_out = tuple(each for each in gathered if isinstance(each, LeftOut))
    return Report(title, _facts(sources), sections, (*left_out, *sources.left_out))


def write_report(report: Report, folder: Path) -> Path:
    """Write a report's figures, tables and page, the page last, instead of an earlier one's; return the page's path."""
    return write_files(folder, _files((*report.figures, *report.tables)) | {PAGE: page(report).encode()})[-1]


def check_report_replaceable(folder: Path) -> None:
    """Raise DatasetError where a report in `folder` would replace a page or a list that is another's."""
    check_replaceable(folder / PAGE, Kind.PAGE)
    check_replaceable(folder / LIST, Kind.LIST)


def write_parts(parts: Sequence[Part], folder: Path) -> tuple[Path, ...]:
    """Write figures and tables to a folder instead of earlier ones, and return their paths."""
    return write_files(folder, _files(parts))


def _files(parts: Sequence[Part]) -> dict[str, bytes]:
    figures = {f"figures/{part.name}.png": part.picture for part in parts if isinstance(part, Figure)}
    return figures | {f"tables/{part.name}.csv": part.to_csv() for part in parts if isinstance(part, Table)}


def _fits(sources: Sources) -> tuple[FitRecord, ...]:
    """Read the fits, an ensemble's members each; raises SearchError for twins and another unit than the dataset's."""
    folders = [member for folder in sources.fits for member in members(folder)]
    for place, folder in enumerate(folders):
        if folder.resolve() in {each.resolve() for each in folders[:place]}:
            raise SearchError(f"--fit names the same folder twice: {folder}; name it alone or in its ensemble")
    if sources.dataset:
        info = inspect_dataset(sources.dataset)
        for folder in folders:
            require_fitted_for(folder, info.unit, info.digest)  # another digest alone is told next to the fits
    return tuple(map(read_fit, folders))


def _results(sources: Sources, fits: Sequence[FitRecord]) -> Gathered:
    dataset = sources.dataset
    if not fits:
        return ()
    if dataset is None:
        without = LeftOut("Errors on the test split", "no dataset is named; give --data FILE.h5")
        return (fit_section(fits, {}, None), without)
    splits = {name: read_split(dataset, name) for name in SPLITS}
    images = {name: split.images for name, split in splits.items()}
    predictions: dict[str, dict[str, Labels]] = {}
    for folder in sources.fits:
        each = predict_members(folder, images)
        predictions |= ({_named(folder): averaged(list(each.values()))} if len(each) > 1 else {}) | each
    evaluations = by_name(predictions, splits)
    models = [
        FittedModel(name, found["test"], evaluations[name]["test"], fits[0].quantity)
        for name, found in predictions.items()
    ]
    return (*result_sections(splits["test"], models), fit_section(fits, evaluations, inspect_dataset(dataset).digest))


def _experiments(sources: Sources) -> Gathered:
    gathered: list[Section | LeftOut] = []
    for study in sources.experiments:
        tested, missing = evaluate_kept(study, sources.artifacts, sources.dataset)
        gathered += (experiment_section(study, tested), *missing)
    return tuple(gathered)


def _network(sources: Sources, fits: Sequence[FitRecord], quantity: Quantity) -> Section | LeftOut:
    if fits:
        return network_section(fits[0].network, quantity)
    spec, info = sources.study and sources.study.spec, sources.dataset and inspect_dataset(sources.dataset)
    own = network_of(spec.task) if spec else None
    if own and not info:
        return LeftOut("Network", "the shape of its images is not known; give --data FILE.h5")
    base = recipe_for(recipe_of(spec), own) if spec else recipe_named("default")
    params: dict[str, Value] = {}
    if sources.study and set(sources.study.spec.box.names) & set(NETWORK):
        if best_score(sources.study) is None:
            return LeftOut("Network", "it is searched, and no trial has finished with a value yet")
        params = choose(sources.study).params
    try:
        made = varied(base, info.image_shape if info else PAPER_SHAPE, params).network()
    except ModelError as error:  # the paper's network takes no images as small as these
        return LeftOut("Network", str(error))
    return network_section(made, quantity)


def _quantity(sources: Sources, fits: Sequence[FitRecord]) -> Quantity:
    """Return what the report as a whole is about: what the first source that knows it predicts."""
    units = [
        *(fit.quantity.unit for fit in fits),
        *(study.spec.task.score.unit for study in (sources.study, *sources.experiments) if study),
        *((inspect_dataset(sources.dataset).unit,) if sources.dataset else ()),
    ]
    return Quantity(units[0] if units else YEARS)


def _named(folder: Path) -> str:
    count = len(members(folder))
    return f"{folder}, the mean of {count} networks" if count > 1 else str(folder)


def _foreign(sources: Sources) -> Iterator[str]:
    """Say which studies have seen another dataset than the one that is shown."""
    shown = inspect_dataset(sources.dataset).digest if sources.dataset else None
    for study in (sources.study, *sources.experiments):
        seen = study and study.spec.task.files.get("data")
        if study and shown and seen and seen.digest != shown:
            yield f"the study {study.name} was made on another dataset, with the digest {seen.digest[:12]}…"


def _facts(sources: Sources) -> tuple[tuple[str, str], ...]:
    facts = [("made", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC by agesearch {version('agesearch')}")]
    if sources.dataset:
        facts.append(("dataset", f"{sources.dataset}, digest {inspect_dataset(sources.dataset).digest[:12]}…"))
    if sources.study:
        facts.append(("study", f"{sources.study.name} in {sources.study.storage}"))
    facts += (("note", each) for each in _foreign(sources))
    facts += (("model" if place == 0 else "compared with", _named(each)) for place, each in enumerate(sources.fits))
    return tuple(facts)
