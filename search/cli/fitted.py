"""`agesearch evaluate` and `predict`: what a fitted network is worth, and what it answers."""

from pathlib import Path
from typing import Annotated

import typer

from search.cli.options import AsJson, takes_settings
from search.cli.printing import answer, answer_json, columns, remark
from search.settings.settings import Settings

Folder = Annotated[Path, typer.Argument(help="The folder that 'agesearch fit' wrote.")]


@takes_settings("data")
def evaluate(
    settings: Settings,
    folder: Folder,
    split: Annotated[str, typer.Option(help="training, validation or test.")] = "test",
    as_json: AsJson = False,
) -> None:
    """Print a fitted network's mean absolute error and its standard error; for an ensemble, each member's too."""
    from search.tasks.images.evaluating import evaluate_fit
    from search.tasks.images.fit_folder import fit_folder
    from search.tasks.program.fit import refuse_program_fit

    folder = fit_folder(folder)
    refuse_program_fit(folder, "agesearch evaluate")
    remark_foreign(folder, settings.require_data())
    found = evaluate_fit(folder, settings.require_data(), split)
    if as_json:
        answer_json(found.as_dict())
        return
    for line in found.lines():
        answer(line)


@takes_settings()
def predict(
    settings: Settings,  # noqa: ARG001 - every command takes a settings file
    folder: Folder,
    images: Annotated[list[Path], typer.Argument(help="Image files of any size (JPEG, PNG and others).")],
    as_json: AsJson = False,
) -> None:
    """Print a fitted network's prediction for each image: an age, or a value in the unit of its training data.

    Images that cannot be read are named with the reason, and it exits with 2; the others are predicted all the same.
    """
    from model.engine.device import configure
    from search.tasks.images.fit_folder import fit_folder, fitted_quantity, members, model_file
    from search.tasks.program.fit import refuse_program_fit

    folder = fit_folder(folder)
    refuse_program_fit(folder, "agesearch predict")
    paths, quantity = [model_file(each) for each in members(folder)], fitted_quantity(folder)
    configure(threads=1)
    from model.results.keras_file import KerasFile
    from search.tasks.images.predicting import predict_images

    found = predict_images([KerasFile(path) for path in paths], images)
    seen = [(str(each.image), quantity.shown(each.value)) for each in found if each.value is not None]
    if as_json:
        answer_json([each.as_dict(quantity) for each in found])
    elif seen:
        answer(columns([("image", quantity.label(quantity.noun)), *seen]))
    for each in found:
        if each.error:
            remark(f"agesearch: {each.error}")
    if len(seen) < len(found):
        raise typer.Exit(2)


def remark_foreign(folder: Path, dataset: Path) -> bool:
    """Say, and return, whether a fit is judged on another dataset than its own; raises SearchError for another unit."""
    from data.dataset import inspect_dataset
    from search.tasks.images.fit_folder import require_fitted_for

    info = inspect_dataset(dataset)
    if found := require_fitted_for(folder, info.unit, info.digest):
        remark(found)
    return bool(found)
