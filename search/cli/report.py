"""`agesearch report`: what has been found, next to the paper."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import AsJson, may_force, takes_settings
from search.cli.printing import answer, answer_json
from search.cli.search import study_of
from search.errors import SearchError
from search.settings.settings import Settings

if TYPE_CHECKING:
    from search.report.report import Sources
    from search.report.sections import LeftOut
    from search.study.study import Study

Fits = Annotated[
    list[Path] | None,
    typer.Option("--fit", help="A folder that 'agesearch fit' wrote; the first is reported, others are compared."),
]


@takes_settings("data", "study", "storage", "artifacts")
@may_force
def report(
    settings: Settings,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write to. Default: report in the folder of the setting out."),
    ] = None,
    fits: Fits = None,
    as_json: AsJson = False,
) -> None:
    """Write one page with every table and figure next to the paper's, and CSV and PNG files; reads the test split."""
    from search.report.report import check_report_replaceable, make_report, write_report
    from search.storage.database import quieten_optuna
    from search.tasks.images.fit_folder import fit_folder
    from search.tasks.program.fit import refuse_program_fit

    folder = out or settings.out / "report"
    check_report_replaceable(folder)
    quieten_optuna()
    for fit in fits or ():
        refuse_program_fit(fit, "agesearch report")
    made = make_report(_sources(settings, tuple(map(fit_folder, fits or ()))))
    page = write_report(made, folder)
    if as_json:
        titles = [each.title for each in made.sections]
        answer_json({"page": str(page), "sections": titles, "left_out": made.left_out})
        return
    for each in made.left_out:
        answer(f"left out: {each.title}: {each.reason}")
    answer(f"{page}: {len(made.figures)} figures, {len(made.tables)} tables")


def _sources(settings: Settings, fits: tuple[Path, ...]) -> "Sources":
    """Return what there is to report on; what was not named and is not there is left out."""
    from search.report.experiments import TITLES
    from search.report.report import Sources
    from search.report.sections import LeftOut
    from search.storage.artifacts import artifact_folder
    from search.tasks.images.fit_folder import has_ended

    left_out = []
    if settings.data is None:
        left_out.append(LeftOut("Dataset", "no dataset is named; give --data FILE.h5"))
    experiments = _experiments(settings)
    study = _study(settings, alone=not any(experiments.values()))
    if isinstance(study, LeftOut):
        left_out.append(study)
    usual = settings.out / "fit"
    if not fits and has_ended(usual):
        fits = (usual,)
    if not fits:
        left_out.append(LeftOut("Final fit and its errors", f"no fit is named and {usual} holds none; give --fit DIR"))
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


def _study(settings: Settings, *, alone: bool) -> "Study | LeftOut":
    """Return the study; where it is missing, that is an error if it was named and would be `alone`."""
    from search.report.sections import LeftOut

    try:
        study = study_of(settings)
    except SearchError as error:
        if alone and settings.model_fields_set & {"study", "storage"}:
            raise
        return LeftOut("Search", str(error))
    if study.spec.task.kind != "images":
        raise SearchError(
            f"the study {study.name!r} is of a program, and a report is for images; 'agesearch trials', 'compare' and "
            "'dashboard' show it"
        )
    return study
