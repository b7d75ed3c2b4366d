"""`agesearch run`: everything in a row, from a dataset to a network that has been evaluated."""

from pathlib import Path

from search.commands.options import takes_settings
from search.commands.printing import answer, progress_bar
from search.commands.search import BUDGET, FINALISTS, SPACE, print_result, search_to_the_end
from search.settings import Settings

DEMONSTRATION = {
    "trials": (3, 3),
    "learning_rate": (3e-4, 3e-3),
    "l2": (1e-6, 1e-2),
    "images": 128,
    "epochs": 3,
    "finalists": 2,
    "finalist_repeats": 2,
    "fit_epochs": 12,
    "fit_minutes": 1.5,
}
"""What `run` without a dataset does, unless told otherwise: meant for five minutes on two cores, even of an old CPU.

Its ranges are narrower than the paper's, since six trials of a dozen steps would not find their way out of those. The
fit has a limit in minutes, since such a CPU takes ten times as long for an epoch as a new one.
"""

DEMONSTRATION_IMAGES = (800, 200, 200)


TAKEN = ("data", "study", "storage", *BUDGET, *SPACE, *FINALISTS, "network", "recipe", "workers", "per_gpu", "out")


@takes_settings(*TAKEN, "fit_epochs", "fit_minutes")
def run(settings: Settings) -> None:
    """Search, export, fit and evaluate in a row; without --data on faces drawn by this program, with a small budget."""
    from data.files import write_bytes
    from search.commands.fit import fit_to_the_end
    from search.fit.evaluating import evaluate_fit
    from search.results.configuration import export_configuration
    from search.storage.database import open_storage
    from search.study.study import load_study

    dataset = settings.data
    if dataset is None:
        settings = settings.model_copy(update=_unset(settings))
        dataset = _synthetic(settings)
    settings = settings.model_copy(update={"data": dataset})
    if not search_to_the_end(settings, dataset):
        raise KeyboardInterrupt
    print_result(settings, as_json=False)
    best, folder = settings.out / "best.toml", settings.out / "fit"
    write_bytes(best, export_configuration(load_study(open_storage(settings.storage), settings.study)))
    fit_to_the_end(settings, best, folder, seed=settings.seed, any_dataset=False)
    answer("")
    for line in evaluate_fit(folder, dataset, "test").lines():
        answer(line)
    for line in _where(settings, best, folder):
        answer(line)


def _unset(settings: Settings) -> dict[str, object]:
    return {key: value for key, value in DEMONSTRATION.items() if key not in settings.model_fields_set}


def _synthetic(settings: Settings) -> Path:
    from data.build import build_dataset
    from data.options import BuildOptions

    path = settings.out / "synthetic.h5"
    if not path.exists():
        with progress_bar("drawing faces") as progress:
            build_dataset("synthetic", path, BuildOptions(seed=0, sizes=DEMONSTRATION_IMAGES), progress)
    return path


def _where(settings: Settings, best: Path, folder: Path) -> list[str]:
    flags = f"--study {settings.study} --storage {_hidden(settings.storage)}"
    return [
        "",
        f"dataset              {settings.data}",
        f"study                {_hidden(settings.storage)}",
        f"best configuration   {best}",
        f"network              {folder / 'model.keras'}",
        f"learning curve       {folder / 'learning_curve.png'}, {folder / 'history.csv'}",
        f"workers' logs        {settings.out / 'logs' / settings.study}",
        "",
        "next:",
        f"  agesearch dashboard --storage {_hidden(settings.storage)}",
        f"  agesearch status {flags}",
        f"  agesearch predict {folder} FACE.jpg",
        "  agesearch data build FOLDER_OR_ARCHIVE --out faces.h5",
        "  agesearch run --data faces.h5 --study faces --out runs/faces",
    ]


def _hidden(url: str) -> str:
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)
