"""`agesearch fit`, `evaluate` and `predict`: from the best configuration to a network, and what it is worth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.commands.options import AsJson, takes_settings
from search.commands.printing import answer, answer_json, columns
from search.commands.search import dataset_of
from search.settings import Settings

if TYPE_CHECKING:
    from model.evaluation import Evaluation
    from model.final_fit import FitState
    from model.quantity import Quantity

Folder = Annotated[Path, typer.Argument(help="The folder that 'agesearch fit' wrote.")]
FIT = ("fit_epochs", "fit_patience", "fit_minutes", "fit_threads")


@takes_settings("data", *FIT)
def fit(
    settings: Settings,
    configuration: Annotated[Path, typer.Argument(help="The file that 'agesearch export' wrote.")] = Path("best.toml"),
    out: Annotated[Path, typer.Option(help="The folder to write to; run again, it goes on there.")] = Path("runs/fit"),
    seed: Annotated[int, typer.Option(min=0, help="Of the initial weights and the order of the images.")] = 0,
    any_dataset: Annotated[
        bool, typer.Option("--any-dataset", help="Fit on another dataset than the search saw.")
    ] = False,
) -> None:
    """Train the best configuration on all training images, keeping the weights whenever validation improves."""
    state = fit_to_the_end(settings, configuration, out, seed, any_dataset)
    best = state.best
    assert best is not None  # noqa: S101 - a fit has at least one epoch, and the first is the best so far
    error = _quantity_of(settings).amount(f"{best.validation_mae:.3f}")
    answer(f"{out}: epoch {best.epoch} of {len(state.history)} is kept, validation MAE {error}")


@takes_settings("data")
def evaluate(
    settings: Settings,
    folder: Folder,
    split: Annotated[str, typer.Option(help="training, validation or test.")] = "test",
    as_json: AsJson = False,
) -> None:
    """Print the mean absolute error of a fitted network, with its standard error."""
    found, quantity = evaluation_of(folder, dataset_of(settings), split), _quantity_of(settings)
    if as_json:
        answer_json({"split": split, "unit": quantity.unit, **found.as_dict()})
        return
    for line in evaluation_lines(found, split, quantity):
        answer(line)


@takes_settings()
def predict(
    settings: Settings,  # noqa: ARG001 - every command takes a settings file
    folder: Folder,
    images: Annotated[list[Path], typer.Argument(help="Image files of any kind and size.")],
    as_json: AsJson = False,
) -> None:
    """Print what a fitted network sees in each image: an age, or a value in the unit it was trained on."""
    import numpy as np

    from data.decoding import Decoder
    from data.images import read_image
    from model.device import configure
    from search.fit.folder import fitted_quantity, model_file

    path, quantity = model_file(folder), fitted_quantity(folder)
    configure(threads=1)
    from model.saved_model import SavedModel

    model = SavedModel(path)
    height, width, channels = model.image_shape
    with Decoder() as decoder:
        pixels = np.stack([read_image(image, (height, width), channels, decoder.decode) for image in images])
    seen = [(str(image), float(value)) for image, value in zip(images, model.predict(pixels), strict=True)]
    noun, unit = quantity.noun, quantity.unit
    if as_json:
        answer_json([{"image": image, noun: float(f"{value:.6g}"), "unit": unit} for image, value in seen])
        return
    answer(columns([("image", quantity.label(noun)), *((image, quantity.shown(value)) for image, value in seen)]))


def fit_to_the_end(settings: Settings, configuration: Path, out: Path, seed: int, any_dataset: bool) -> "FitState":
    """Fit, or go on with a fit, and show it on stderr; Ctrl-C and SIGTERM lose no more than the epoch."""
    from data.dataset import inspect_dataset, read_split
    from search.errors import SearchError
    from search.fit.folder import started_precision
    from search.processes.searching import stop_on_signals
    from search.results.configuration import read_configuration

    dataset = dataset_of(settings)
    chosen, info = read_configuration(configuration), inspect_dataset(dataset)
    digest = info.digest
    if chosen.dataset.digest not in (None, digest) and not any_dataset:
        raise SearchError(
            f"{dataset} has the digest {digest[:12]}…, {configuration} comes from {chosen.dataset.digest[:12]}…; "
            "give the dataset it comes from, or --any-dataset"
        )

    from model.device import configure, fastest_precision, usable_cores

    threads = usable_cores() if settings.fit_threads == "auto" else settings.fit_threads
    configure(threads)
    precision: str = chosen.training.precision
    if precision == "auto":
        precision = started_precision(out) or fastest_precision()
    from model.final_fit import FitSettings
    from search.fit.display import FitDisplay
    from search.fit.fitting import Fit, run_fit

    limit = None if settings.fit_minutes is None else settings.fit_minutes * 60
    found = chosen.hyperparameters
    how = FitSettings(
        found.learning_rate,
        found.l2,
        settings.fit_epochs,
        found.batch_size or chosen.training.batch_size,
        seed,
        settings.fit_patience,
        limit,
    )
    job = Fit(chosen.training.recipe, how, precision, threads, digest, chosen.own_network(), found.varied(), info.unit)
    with stop_on_signals() as stop, FitDisplay(settings.fit_epochs, info.unit).shown() as display:

        def progress(state: "FitState", epoch: int, share: float) -> None:
            display(state, epoch, share)
            if stop.is_set():
                raise KeyboardInterrupt

        return run_fit(job, read_split(dataset, "training"), read_split(dataset, "validation"), out, progress)


def evaluation_of(folder: Path, dataset: Path, split: str) -> "Evaluation":
    """Evaluate a fitted network on one split of a dataset."""
    from data.dataset import read_split
    from search.fit.folder import model_file

    examples, path = read_split(dataset, split), model_file(folder)
    from model.device import configure, usable_cores

    configure(usable_cores())
    from model.evaluation import evaluate
    from model.saved_model import SavedModel

    return evaluate(SavedModel(path).predict(examples.images), examples.labels)


def evaluation_lines(found: "Evaluation", split: str, quantity: "Quantity") -> list[str]:
    """Return an evaluation as text."""
    error = quantity.amount(f"{found.mae:.3f} ± {found.standard_error:.3f}")
    return [
        f"{split} MAE {error} over {found.images} images",
        f"median error {found.median_error:.2f}, RMSE {found.rmse:.2f}, bias {found.bias:+.2f}; "
        f"always answering the median would score {found.constant_mae:.2f}",
    ]


def _quantity_of(settings: Settings) -> "Quantity":
    from data.dataset import inspect_dataset
    from model.quantity import Quantity

    return Quantity(inspect_dataset(dataset_of(settings)).unit)


COMMANDS = (fit, evaluate, predict)
