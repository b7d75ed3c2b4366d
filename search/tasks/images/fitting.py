"""The final fit in a folder: how it goes on after a kill, and what it leaves at the end."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import gettempdir
from typing import TypeAlias

import numpy as np
import tomli_w

from data.arrays import Split
from data.errors import WriteFailure
from data.files import write_bytes
from model.arrays import Examples
from model.network.description import tables_of
from model.network.network import Network
from model.results import keras_file
from model.results.answers import Answers
from model.results.quantity import YEARS, Quantity
from model.training import checkpoint, history
from model.training.final_fit import FinalFit, FitSettings, FitState
from model.training.recipe import Recipe, recipe_named
from model.training.short_training import DivergedError
from search.errors import SearchError
from search.space.ranges import Value
from search.tasks.alone import alone_in
from search.tasks.images.fit_folder import ABOUT, CURVE, HISTORY, MODEL, STATE, WRITTEN, difference
from search.tasks.images.variation import recipe_for, varied

_log = logging.getLogger(__name__)

Progress: TypeAlias = Callable[[FitState, int, float], None]


@dataclass(frozen=True, slots=True)
class Fit:
    """What is fitted, on what, and how: everything that the weights at the end follow from.

    `network` is the user's own as a study keeps it, and `varied` what the search has found next to the settings.
    `unit`, that of the labels, is for people.
    """

    recipe: str
    settings: FitSettings
    precision: str
    threads: int
    dataset: str
    network: str | None = None
    varied: Mapping[str, Value] = field(default_factory=dict)
    unit: str = YEARS

    def recipe_on(self, shape: tuple[int, int, int]) -> Recipe:
        """Return the recipe, with its network for images of `shape`."""
        return varied(recipe_for(self.recipe, self.network), shape, self.varied)

    def fingerprint(self) -> str:
        """Return what must be the same for a fit to be continued.

        It may be given more time, or more epochs if its learning rate does not depend on how many there will be.
        """
        free = {"patience", "time_limit"} | ({"epochs"} if recipe_named(self.recipe).schedule == "constant" else set())
        decisive = {k: v for k, v in asdict(self.settings).items() if k not in free}
        own = self.network, dict(self.varied)
        return json.dumps([self.recipe, decisive, self.precision, self.threads, self.dataset, *own])

    def digest(self) -> str:
        """Return the fingerprint's SHA-256."""
        return hashlib.sha256(self.fingerprint().encode()).hexdigest()


def members_of(fit: Fit, count: int) -> tuple[Fit, ...]:
    """Return an ensemble's fits, which differ in their seeds alone; the first one is `fit` itself."""
    return tuple(replace(fit, settings=replace(fit.settings, seed=seed)) for seed in _seeds(fit.settings.seed, count))


def _seeds(seed: int, count: int) -> Iterator[int]:
    yield seed
    for member in range(1, count):
        yield (
            int(np.random.SeedSequence(seed, spawn_key=(member,)).generate_state(1)[0]) >> 1
        )  # TensorFlow takes 31 bits


def run_fit(fit: Fit, training: Split, validation: Split, folder: Path, progress: Progress) -> FitState:
    """Fit, or go on where an earlier run in `folder` was ended, and leave model, history and curve there.

    `progress(state, epoch, share of it done)` is called every few seconds and at the end, and may raise to stop;
    nothing is lost then but the epoch. Raises SearchError where another process is fitting in `folder` or a longer fit
    is there, and ModelError where it holds another fit.
    """
    with alone_in(folder):
        return _fitted(fit, training, validation, folder, progress)


def _fitted(fit: Fit, training: Split, validation: Split, folder: Path, progress: Progress) -> FitState:
    height, width, channels = training.images.shape[1:]
    final = FinalFit(
        fit.recipe_on((height, width, channels)),
        fit.settings,
        Examples(training.images, training.labels),
        Examples(validation.images, validation.labels),
        fit.precision,
    )
    state = _resumed(final, fit, folder) or final.start()
    if not ((folder / ABOUT).is_file() and final.finished(state)):  # where nothing is trained, it tells what was
        write_bytes(folder / ABOUT, (WRITTEN + tomli_w.dumps(_about(fit, final.engine.network))).encode())

    def keep(now: FitState) -> None:
        nonlocal state
        state = now
        write_bytes(folder / STATE, checkpoint.to_bytes(now, fit.fingerprint()))
        (folder / MODEL).unlink(missing_ok=True)  # of a shorter run; what was best in it is in the checkpoint
        write_bytes(folder / HISTORY, history.to_csv(now.history))

    try:
        state = final.run(state, keep, lambda epoch, share: progress(state, epoch, share))
    except DivergedError as error:
        if state.best is None:
            raise
        _log.warning("%s; the fit ends with the weights of epoch %d", error, state.best.epoch)
    progress(state, len(state.history), 1.0)
    answers = Answers(fit.unit, float(training.labels.min()), float(training.labels.max()))
    # Once more, for a fit that was killed between the last epoch's state and its line.
    write_bytes(folder / HISTORY, history.to_csv(state.history))
    write_bytes(folder / CURVE, history.learning_curve(state.history, Quantity(fit.unit)))
    write_bytes(folder / MODEL, _model(final, state, answers))
    return state


def _model(final: FinalFit, state: FitState, answers: Answers) -> bytes:
    """Return the fit's model as a file; Keras makes it in the temporary folder. Raises WriteFailure if that is full."""
    own = final.recipe.test_time_augmentation
    try:
        return keras_file.to_bytes(final.engine.network, state.best_weights, answers, own)
    except OSError as error:
        raise WriteFailure(
            f"cannot write to the temporary folder {gettempdir()}: {error.strerror or error}; make room or set TMPDIR, "
            "and run the same command again"
        ) from error


def _resumed(final: FinalFit, fit: Fit, folder: Path) -> FitState | None:
    path = folder / STATE
    if not path.is_file():
        if (folder / MODEL).is_file():
            raise SearchError(f"{folder} has a {MODEL} and no {STATE} to go on from; choose another --out")
        return None
    if other := difference(_about(fit, final.engine.network), folder):
        raise SearchError(f"{folder} holds a fit with {other}; give the same, or choose another --out")
    state = checkpoint.from_bytes(path.read_bytes(), final.engine.network, fit.fingerprint())
    trained, wanted = len(state.history), fit.settings.epochs
    if trained > wanted:  # what is kept may be of an epoch that was not asked for
        raise SearchError(
            f"{folder} holds {trained} epochs already, you asked for {wanted}; give --fit-epochs {trained} or more, or "
            "choose another --out"
        )
    return state


def _about(fit: Fit, network: Network) -> dict[str, object]:
    settings = {key: value for key, value in asdict(fit.settings).items() if value is not None}
    about: dict[str, object] = {
        "recipe": fit.recipe,
        "precision": fit.precision,
        "threads": fit.threads,
        "settings": settings,
    }
    about |= {"image_shape": list(network.input_shape), "network": tables_of(network.layers)}
    return {**about, "dataset": {"digest": fit.dataset, "unit": fit.unit}, "fingerprint": fit.digest()}
