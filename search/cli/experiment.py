"""`agesearch experiment NAME`: the paper's other studies, a command for each."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import AsJson, may_force, takes_settings
from search.cli.printing import answer, answer_json, columns, remark
from search.cli.search import INTERRUPTED
from search.counting import counted
from search.errors import SearchError, SearchFailure
from search.report.declared import DECLARED, Declared, Size
from search.settings.settings import Settings

if TYPE_CHECKING:
    from search.report.sections import Section
    from search.study.study import Study
    from search.study.variants import Experiment

app = typer.Typer(
    name="experiment",
    help="Run one of the paper's other studies, or one that it suggests, with workers on the same storage.",
    no_args_is_help=True,
)

SHARED = (
    "data", "study", "storage", "artifacts", "seed", "precision", "threads", "max_attempts", "workers", "per_gpu",
    "out",
)  # fmt: skip

Images = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Training images of each trial, instead of the paper's.")
]
Epochs = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Epochs of each trial, instead of the paper's.")
]
Repeats = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Trials of each variant, each with other seeds.")
]


def _command(declared: Declared) -> Callable[..., None]:
    def run(
        settings: Settings,
        images: Images = None,
        epochs: Epochs = None,
        repeats: Repeats = None,
        as_json: AsJson = False,
    ) -> None:
        from search.report.declared import experiment_of

        size = Size(images, epochs, repeats)
        _run(settings, declared.name, lambda count: experiment_of(declared, size, count), as_json)

    images = declared.images or "all"
    run.__name__ = declared.name
    run.__doc__ = f"{declared.about}\n\n{images} images, {declared.epochs} epochs, {declared.repeats} trials a variant."
    return takes_settings(*SHARED, "recipe")(may_force(run))


for _declared in DECLARED:
    app.command(_declared.name)(_command(_declared))


@app.command("proxy")
@takes_settings(*SHARED)
@may_force
def proxy(
    settings: Settings,
    configurations: Annotated[int, typer.Option(min=3, help="Configurations of learning rate and L2.")] = 12,
    budgets: Annotated[
        str, typer.Option(help="Images x epochs of a trial; the first one also under the paper's recipe.")
    ] = "500x5,250x5,500x10",
    images: Images = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the long trainings.")] = 12,
    repeats: Annotated[int, typer.Option(min=2, help="Trials of each configuration under each judge.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Can a short trial be believed? Its scores against longer trainings, under the paper's recipe and the default.

    By default the long trainings are on all images.
    """
    from search.report.proxy import NAME, Budget, Design, experiment_of, read_budgets

    judged = read_budgets(budgets)

    def make(count: int) -> "Experiment":
        if max(each.images for each in judged) > count:
            there = counted(count, "training image")
            raise SearchError(
                f"budgets is {budgets!r}, but the dataset has {there}; give --budgets of {count} or fewer"
            )
        return experiment_of(Design(configurations, judged, Budget(images or count, epochs), repeats), settings.seed)

    _run(settings, NAME, make, as_json)


def _run(settings: Settings, name: str, make: "Callable[[int], Experiment]", as_json: bool) -> None:
    """Run an experiment to its end, print what it came to, and write its figures and tables."""
    from data.files import Kind, check_replaceable
    from search.cli.search import run_to_the_end
    from search.report.preparing import prepare_experiment, settings_for
    from search.report.writing import LIST
    from search.storage.database import quieten_optuna

    quieten_optuna()
    dataset = settings.require_data()
    study = prepare_experiment(settings, dataset, make)
    check_replaceable(_folder(settings, study) / LIST, Kind.LIST)
    if not run_to_the_end(settings_for(settings, name), study):
        with suppress(SearchFailure):  # a database that is away, which may be why the experiment was stopped
            _show(study, settings, as_json)
            remark(INTERRUPTED)
        raise KeyboardInterrupt
    _show(study, settings, as_json)


def _show(study: "Study", settings: Settings, as_json: bool) -> None:
    from search.report.experiments import experiment_section
    from search.report.sections import LeftOut

    section = experiment_section(study)
    if not isinstance(section, LeftOut):
        _show_section(section, study, _folder(settings, study), as_json)
    elif as_json:
        answer_json({"study": study.name, "left_out": section})
    else:
        answer(f"{section.title}: {section.reason}")


def _folder(settings: Settings, study: "Study") -> Path:
    """Return where an experiment's figures and tables go."""
    from search.run.logs import file_name

    return settings.out / "experiments" / file_name(study.name)


def _show_section(section: "Section", study: "Study", folder: Path, as_json: bool) -> None:
    from search.report.report import write_parts

    written = write_parts(section.parts, folder)
    if as_json:
        tables = {table.name: table.records() for table in section.tables}
        files = [str(path) for path in written]
        answer_json({"study": study.name, "text": section.text, "tables": tables, "files": files})
        return
    for line in section.text:
        answer(line)
    for table in section.tables:
        answer("")
        answer(columns([[column.heading for column in table.columns], *table.shown()]))
    answer("")
    for path in written:
        answer(str(path))
