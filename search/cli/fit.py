"""`agesearch fit`: from the best configuration to a network."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.cli.options import AsJson, may_force, takes_settings
from search.cli.printing import answer, answer_json, remark
from search.errors import SearchError, TrialStopped
from search.settings.settings import Settings

if TYPE_CHECKING:
    from threading import Event

    from data.arrays import Split
    from model.training.final_fit import FitState
    from search.tasks.images.configuration import Configuration
    from search.tasks.images.fitting import Fit, Progress
    from search.tasks.program.configuration import Configuration as Program

FIT = ("fit_epochs", "fit_patience", "fit_minutes", "fit_threads", "ensemble")
PROGRAM = ("program", "python", "allow_changed", "fit", "trial_minutes", "trial_memory")


@takes_settings("data", "seed", *FIT, *PROGRAM)
@may_force
def fit(
    settings: Settings,
    configuration: Annotated[Path, typer.Argument(help="The file that 'agesearch export' wrote.")] = Path("best.toml"),
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder to write to; run again, it goes on there. Default: fit in the folder of the setting out."
        ),
    ] = None,
    any_dataset: Annotated[
        bool, typer.Option("--any-dataset", help="Fit on another dataset than the search saw.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train the best configuration to the end: a program runs once more, and its folder is kept.

    On images, all training images are used, and the weights are kept whenever validation improves.
    """
    from search.results.configuration import read_document
    from search.tasks.program.configuration import TABLE, read

    if TABLE in (document := read_document(configuration)):
        if any_dataset:
            raise SearchError("--any-dataset is for images, and this is the fit of a program")
        _fit_program(settings, read(document, configuration), out or settings.out / "fit", as_json)
        return
    from data.dataset import inspect_dataset
    from model.results.quantity import Quantity
    from model.training.history import kept

    fitted = fit_to_the_end(settings, configuration, out or settings.out / "fit", any_dataset)
    quantity = Quantity(inspect_dataset(settings.require_data()).unit)
    if as_json:
        answer_json({"unit": quantity.unit, "fits": [fit_of(*each) for each in fitted.items()]})
        return
    for folder, state in fitted.items():
        best = kept(state.history)
        error = quantity.error(best.validation_mae)
        answer(f"{folder}: epoch {best.epoch} of {len(state.history)} is kept, validation MAE {error}")


def _fit_program(settings: Settings, chosen: "Program", out: Path, as_json: bool) -> None:
    """Run a program once more; Ctrl-C and SIGTERM end it."""
    from search.run.stopping import stop_on_signals
    from search.tasks.program.fit import RESULT, fit_of, run_fit

    fit = fit_of(settings, chosen)
    with stop_on_signals() as stop:
        try:
            result = run_fit(fit, out, stop, lambda step, value: remark(f"step {step}: {value:g}"))
        except TrialStopped:
            raise KeyboardInterrupt from None
    if as_json:
        answer_json({"folder": str(out), **result})
        return
    answer(f"{out / RESULT}: {chosen.score.name} {chosen.score.shown(result['value'])}")


def fit_to_the_end(settings: Settings, configuration: Path, out: Path, any_dataset: bool) -> "dict[Path, FitState]":
    """Fit, or go on with a fit, and show it on stderr; Ctrl-C and SIGTERM lose no more than the epoch.

    Returns the last state in each folder: one, or a member's each of an ensemble.
    """
    from data.dataset import read_split
    from search.run.stopping import stop_on_signals
    from search.tasks.alone import alone_in
    from search.tasks.images.configuration import read_configuration
    from search.tasks.images.fit_folder import begin, check_fit_replaceable

    dataset, chosen = settings.require_data(), read_configuration(configuration)
    check_fit_replaceable(out, settings.ensemble)
    if not any_dataset:
        _require_same(chosen, configuration, dataset)
    _compare_with_measured(chosen, configuration)
    job = _job(settings, chosen, dataset, out)
    from search.tasks.images.fit_display import FitDisplay
    from search.tasks.images.fitting import members_of, run_fit

    splits = read_split(dataset, "training"), read_split(dataset, "validation")
    _compare_ranges(*splits)
    fitted: dict[Path, FitState] = {}
    with stop_on_signals() as stop, ExitStack() as ours:
        ours.enter_context(alone_in(out))
        folders = begin(out, settings.ensemble, job.digest())
        if folders == (out,):
            ours.close()  # `run_fit` has the folder to itself from here on, as it has every member's
        for folder, each in zip(folders, members_of(job, settings.ensemble), strict=True):
            name = str(folder) if settings.ensemble > 1 else ""
            with FitDisplay(settings.fit_epochs, job.unit, name).shown() as show:
                fitted[folder] = run_fit(each, *splits, folder, _until(stop, show))
    return fitted


def fit_of(folder: Path, state: "FitState") -> dict[str, Any]:
    """Return by name what a fit kept, and where it is."""
    from model.training.history import kept
    from search.tasks.images.fit_folder import CURVE, HISTORY, MODEL

    best = kept(state.history)
    return {
        "folder": str(folder),
        "epochs": len(state.history),
        "kept_epoch": best.epoch,
        "training_mae": best.training_mae,
        "validation_mae": best.validation_mae,
        **{name: str(folder / file) for name, file in (("model", MODEL), ("history", HISTORY), ("curve", CURVE))},
    }


def _until(stop: "Event", show: "Progress") -> "Progress":
    """Return what shows how a fit goes and ends it, between two looks, once `stop` is set."""

    def progress(state: "FitState", epoch: int, share: float) -> None:
        show(state, epoch, share)
        if stop.is_set():
            raise KeyboardInterrupt

    return progress


def _require_same(chosen: "Configuration", configuration: Path, dataset: Path) -> None:
    from data.dataset import inspect_dataset

    digest, origin = inspect_dataset(dataset).digest, chosen.dataset.digest
    if origin not in (None, digest):
        raise SearchError(
            f"{dataset} has the digest {digest[:12]}…, {configuration} comes from {origin[:12]}…; "
            "give the dataset it comes from, or --any-dataset"
        )


def _compare_with_measured(chosen: "Configuration", configuration: Path) -> None:
    """Say so where a recipe was measured with another learning rate and L2 than those it is given."""
    from model.training.recipe import recipe_named

    recipe, found = recipe_named(chosen.training.recipe), chosen.hyperparameters
    if recipe.measured_rate is not None and (found.learning_rate, found.l2) != (recipe.measured_rate, 0.0):
        remark(
            f"the recipe {recipe.name} was measured with a learning rate of {recipe.measured_rate:g} and no L2; "
            f"{configuration} has {found.learning_rate:g} and {found.l2:g}"
        )


def _compare_ranges(training: "Split", validation: "Split") -> None:
    """Say so where validation has labels that no answer of the fit comes to."""
    low, high = training.labels.min(), training.labels.max()
    beyond = int(((validation.labels < low) | (validation.labels > high)).sum())
    if beyond:
        remark(
            f"{beyond} of {len(validation)} validation labels lie outside of the range of the training labels, "
            f"{low:g} to {high:g}; the network's answers stay within it"
        )


def _job(settings: Settings, chosen: "Configuration", dataset: Path, out: Path) -> "Fit":
    """Return what is to be fitted, and set up the device for it."""
    from data.dataset import inspect_dataset
    from model.engine.device import configure, fastest_precision, usable_cores
    from search.tasks.images.fit_folder import member_folders, started_with

    before = started_with(member_folders(out, settings.ensemble)[0])
    threads = settings.fit_threads
    if threads == "auto":
        threads = before.threads if before else usable_cores()
    configure(threads)
    precision: str = chosen.training.precision
    if precision == "auto":
        precision = before.precision if before else fastest_precision()
    from model.training.final_fit import FitSettings
    from search.tasks.images.fitting import Fit

    info, found = inspect_dataset(dataset), chosen.hyperparameters
    how = FitSettings(
        found.learning_rate,
        found.l2,
        settings.fit_epochs,
        found.batch_size or chosen.training.batch_size,
        settings.seed,
        settings.fit_patience,
        None if settings.fit_minutes is None else settings.fit_minutes * 60,
    )
    own = chosen.own_network(), found.varied()
    return Fit(chosen.training.recipe, how, precision, threads, info.digest, *own, info.unit)
