"""`agesearch run`: everything in a row, from a dataset to a network that has been evaluated."""

from collections.abc import Iterable
from pathlib import Path

from search.cli.next_steps import typed, without_password
from search.cli.options import AsJson, may_force, takes_settings
from search.cli.printing import answer, answer_json, progress_bar, remark
from search.cli.search import (
    BUDGET,
    FINALISTS,
    INTERRUPTED,
    SPACE,
    print_result,
    require_result,
    result_of,
    search_to_the_end,
    study_of,
)
from search.settings.settings import Settings

DEMONSTRATION = {
    "trials": (3, 3),
    "learning_rate": (3e-4, 3e-3),
    "l2": (1e-6, 1e-2),
    "images": 128,
    "epochs": 3,
    "finalists": 2,
    "finalist_repeats": 2,
}
"""What `run` without a dataset searches, unless told otherwise, meant for five minutes on two cores even of an old CPU.

Its ranges are narrower than the paper's, since six trials of a dozen steps would not find their way out of those.
"""

DEMONSTRATION_FIT = {"fit_epochs": 12, "fit_minutes": 1.5}
"""And how it fits: with a limit in minutes, since such a CPU takes ten times as long for an epoch as a new one."""

DEMONSTRATION_IMAGES = (800, 200, 200)


TAKEN = ("data", "study", "storage", *BUDGET, *SPACE, *FINALISTS, "network", "recipe", "workers", "per_gpu", "out")


@takes_settings(*TAKEN, "fit_epochs", "fit_minutes")
@may_force
def run(settings: Settings, as_json: AsJson = False) -> None:
    """Search, export, fit and evaluate in a row; without --data, on synthetic faces with a small budget."""
    from data.files import Kind, check_replaceable, write_bytes
    from search.cli.fit import fit_of, fit_to_the_end
    from search.results.configuration import export_configuration
    from search.run.logs import log_folder
    from search.tasks.images.evaluating import evaluate_fit
    from search.tasks.images.fit_folder import check_fit_replaceable
    from search.tasks.registry import task_of_study

    if settings.data is None:
        settings = _on_drawn_faces(settings)
    dataset, best, folder = settings.require_data(), settings.out / "best.toml", settings.out / "fit"
    check_replaceable(best, Kind.TOML)
    check_fit_replaceable(folder, settings.ensemble)
    _require_own(best, settings)
    if not search_to_the_end(settings):
        remark(INTERRUPTED)
        raise KeyboardInterrupt
    if not as_json:
        print_result(settings, as_json=False)
    study, logs = study_of(settings), log_folder(settings)
    require_result(study, settings)
    settings = settings.model_copy(update={"seed": study.spec.seed})
    write_bytes(best, export_configuration(study, task_of_study(study).tables(study.spec)))
    fitted = fit_to_the_end(settings, best, folder, any_dataset=False)
    found = evaluate_fit(folder, dataset, "test")
    if as_json:
        places = {"dataset": str(dataset), "configuration": str(best), "logs": str(logs)}
        parts = {
            "search": result_of(study, settings),
            "fits": [fit_of(*each) for each in fitted.items()],
            "evaluation": found.as_dict(),
        }
        answer_json({**places, **parts})
        return
    for line in ("", *found.lines(), *_where(settings, best, fitted, logs), *_next(settings, best, folder)):
        answer(line)


def _require_own(best: Path, settings: Settings) -> None:
    """Refuse a folder that has another study's results, before there is a search which would end in that."""
    from search.errors import SearchError
    from search.storage.address import is_same, parse_address
    from search.tasks.images.configuration import read_configuration

    if not best.is_file():
        return
    origin, address = read_configuration(best).study or {}, parse_address(settings.storage)
    if origin.get("name") != settings.study or not is_same(address, str(origin.get("storage"))):
        raise SearchError(
            f"{best} is of the study {origin.get('name')!r} in {origin.get('storage')}; choose another --out for "
            f"{settings.study!r} in {address}"
        )


def _on_drawn_faces(settings: Settings) -> Settings:
    from search.run.searching import existing

    wanted = DEMONSTRATION_FIT | ({} if existing(settings) else DEMONSTRATION)
    said = settings.model_fields_set | {each.name for each in settings.space or ()}
    small = {key: value for key, value in wanted.items() if key not in said}
    return settings.model_copy(update={**small, "data": _synthetic(settings)})


def _synthetic(settings: Settings) -> Path:
    from data.build import build_dataset
    from data.options import BuildOptions

    path = settings.out / "synthetic.h5"
    if not path.exists():
        with progress_bar("drawing faces") as progress:
            build_dataset("synthetic", path, BuildOptions(seed=0, sizes=DEMONSTRATION_IMAGES), progress)
    return path


def _where(settings: Settings, best: Path, fitted: Iterable[Path], logs: Path) -> list[str]:
    from search.tasks.images.fit_folder import CURVE, HISTORY, MODEL

    return [
        "",
        f"dataset              {settings.data}",
        f"study                {_hidden(settings.storage)}",
        f"best configuration   {best}",
        *(f"network              {each / MODEL}" for each in fitted),
        *(f"learning curve       {each / CURVE}, {each / HISTORY}" for each in fitted),
        f"workers' logs        {logs}",
    ]


def _next(settings: Settings, best: Path, folder: Path) -> list[str]:
    storage = ("--storage", without_password(settings.storage))
    study = ("--study", settings.study, *storage)
    commands: list[tuple[object, ...]] = [
        ("dashboard", *storage),
        ("status", *study),
        ("export", *study, "--out", best),
        ("report", *study, "--data", settings.data, "--fit", folder, "--out", settings.out / "report"),
        ("predict", folder, "FACE.jpg"),
        ("data", "build", "FOLDER_OR_ARCHIVE", "--out", "faces.h5"),
        ("run", "--data", "faces.h5", "--study", "faces", "--out", "runs/faces"),
    ]
    return ["", "next:", *(f"  {typed(*words)}" for words in commands)]


def _hidden(url: str) -> str:
    from search.storage.address import parse_address

    return str(parse_address(url))
