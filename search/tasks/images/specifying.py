"""From settings to a study of images, new or resumed, and what of them can never work with a dataset."""

from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from data.dataset import DatasetInfo, read_labels
from model.errors import ModelError
from model.network.network import Network, require_reachable
from search.counting import counted
from search.errors import SearchError
from search.settings.settings import Settings
from search.space.box import Box, with_bounds
from search.space.enqueued import in_terms_of
from search.space.ranges import LogRange, Value
from search.space.samplers import require_installed
from search.space.score import Score
from search.study.assignment import Budget
from search.study.spec import StudySpec
from search.study.task import Measured, TaskFile, TaskSpec, Words
from search.tasks.images.network_file import read_network
from search.tasks.images.parameters import PARAMETERS, box_of, named_in_full, require_known
from search.tasks.images.variation import recipe_for, varied
from search.tasks.specifying import completed, finalists_of, shared_of

OWN: Final = ("recipe", "threads", "batch_size", "pruning_images")
"""Settings that the task keeps as they are, under their own names."""


def spec_of(settings: Settings, info: DatasetInfo, precision: str) -> StudySpec:
    """Return the study that the settings describe, for that dataset."""
    box = _box(settings)
    return StudySpec(
        task=task_of(settings, info, precision, _network(settings)),
        box=box,
        budget={"images": settings.images, "epochs": settings.epochs},
        ranges=with_bounds(box, settings.ranges) if settings.ranges else None,
        finalists=finalists_of(settings, _finalist_budget(settings)),
        enqueued=in_terms_of(box, named_in_full(settings.enqueue or ())),
        **shared_of(settings),
    )


def task_of(settings: Settings, info: DatasetInfo, precision: str, network: str | None) -> TaskSpec:
    """Return the task of images as a study keeps it; `network` is the user's own as JSON (None: the paper's)."""
    files = {"data": TaskFile("FILE.h5", info.digest)}
    if network is not None:
        files["network"] = TaskFile("NETWORK.toml", sha256(network.encode()).hexdigest(), network)
    penalised = settings.recipe == "paper"
    return TaskSpec(
        kind="images",
        score=Score("MAE + penalty" if penalised else "validation MAE", info.unit),
        settings={"precision": precision, **{name: getattr(settings, name) for name in OWN}},
        files=files,
        parameters=tuple(PARAMETERS.values()),
        measures=(Measured("training_mae", "training MAE"),),
        words=Words(
            "the MAE on the validation split, measured once, at its end" + (", and the penalty" if penalised else ""),
            _reported(settings),
        ),
        coloured=Measured("validation_mae", "validation MAE"),
    )


def _reported(settings: Settings) -> str:
    if settings.pruning == "none":
        return "the training MAE of each epoch, on the trial's own images"
    return (
        f"the MAE on {settings.pruning_images} images of the validation split after each epoch, by which it may have "
        f"been pruned ({settings.pruning})"
    )


def spec_to_resume(settings: Settings, info: DatasetInfo, precision: str, stored: StudySpec) -> StudySpec:
    """Return the study that the settings ask for where `stored` is there: they may differ in what they say alone.

    Raises SearchError where that is an experiment.
    """
    if stored.experiment is not None:
        raise SearchError(
            f"the study {settings.study!r} is the experiment {stored.experiment.name}, and no search; go on with it by "
            f"'agesearch experiment {stored.experiment.name}', or use another --study"
        )
    said = settings.model_fields_set
    spec = spec_of(completed(settings, _settings_of(stored, settings)), info, precision)
    files = dict(spec.task.files)
    if "network" not in said:
        files = {"data": files["data"]} | {k: file for k, file in stored.task.files.items() if k == "network"}
    return replace(
        spec,
        task=replace(spec.task, files=files),
        enqueued=spec.enqueued if "enqueue" in said else stored.enqueued,
    )


def network_of(task: TaskSpec) -> str | None:
    """Return the user's own network as JSON; None where it is the paper's."""
    return task.files["network"].text if "network" in task.files else None


def recipe_of(spec: StudySpec) -> str:
    """Return the name of a study's recipe."""
    return str(spec.task.settings["recipe"])


def precision_of(spec: StudySpec) -> str:
    """Return the precision of a study's convolutions."""
    return str(spec.task.settings["precision"])


def threads_of(spec: StudySpec) -> int:
    """Return how many CPU threads each worker of a study has."""
    return int(spec.task.settings["threads"] or 1)


def require_fitting(settings: Settings, info: DatasetInfo) -> None:
    """Refuse what every worker would die of, before there is a study that asks for it.

    Raises ModelError where the network cannot answer the dataset's labels, SearchError for all else.
    """
    require_installed(settings.sampler)
    count = info.counts["training"]
    wanted = {"images": settings.images}
    if settings.finalists:
        wanted["finalist_images"] = settings.finalist_images or settings.images
    for name, images in wanted.items():
        if images > count:
            flag, there = f"--{name.replace('_', '-')}", counted(count, "training image")
            raise SearchError(f"{name} is {images}, but {info.path} has {there}; give {flag} {count} or fewer")
    judged = info.counts["validation"]
    stated = settings.pruning != "none" and "pruning_images" in settings.model_fields_set
    if stated and settings.pruning_images > judged:
        there = counted(judged, "validation image")
        raise SearchError(
            f"pruning_images is {settings.pruning_images}, but {info.path} has {there}; "
            f"give --pruning-images {judged} or fewer"
        )
    box, network = _box(settings), _network(settings)
    smallest, _ = (_made(settings, info, network, box.at([share] * len(box.ranges))) for share in (0.0, 1.0))
    labels = read_labels(info.path, "training")
    require_reachable(smallest, float(labels.min()), float(labels.max()))


def _made(settings: Settings, info: DatasetInfo, network: str | None, params: dict[str, Value]) -> Network:
    """Return the network of some parameters; refuse those that make none, or none for images of that shape."""
    recipe = recipe_for(settings.recipe, network)
    try:
        return varied(recipe, info.image_shape, params).network()
    except ModelError as error:
        shape = "×".join(map(str, info.image_shape))
        raise SearchError(
            f"the images of {info.path} are {shape}, and the network cannot take them: {error}; "
            "build the dataset in another size, or describe a network for it (--network)"
        ) from error


def _network(settings: Settings) -> str | None:
    return None if settings.network is None else read_network(settings.network)


def _settings_of(stored: StudySpec, asked: Settings) -> dict[str, Any]:
    """Return the settings that make `stored`, but for those of which a study keeps something else, network and enqueue.

    A learning rate or L2 that is asked for in the space is no setting of its own, and the other way about.
    """
    own = stored.core_settings() | {name: stored.task.settings[name] for name in OWN} | dict(stored.budget)
    if stored.finalists:
        own |= {f"finalist_{name}": number for name, number in stored.finalists.budget.items()}
    if stored.ranges:
        own["ranges"] = stored.ranges.bounds
    bounds = _bounds(stored.box)
    elsewhere = {*bounds, *asked.model_fields_set}
    own["space"] = tuple(one for one in stored.box.ranges if one.name not in elsewhere) or None
    in_space = {one.name for one in asked.space or ()}
    return own | {name: pair for name, pair in bounds.items() if name not in in_space}


def _bounds(box: Box) -> dict[str, tuple[float, float]]:
    """Return the bounds of the ranges that are settings of their own, by name."""
    plain = (one for one in box.ranges if isinstance(one, LogRange) and one.name in ("learning_rate", "l2"))
    return {one.name: (one.low, one.high) for one in plain}


def _finalist_budget(settings: Settings) -> Budget:
    return {
        "images": settings.finalist_images or settings.images,
        "epochs": settings.finalist_epochs or settings.epochs,
    }


def _box(settings: Settings) -> Box:
    """Return the first box; raises SearchError where a parameter has both a setting of its own and one in the space."""
    require_known(settings.space or ())
    space = {one.name: one for one in settings.space or ()}
    for name in ("learning_rate", "l2"):
        if name not in space:
            space[name] = LogRange(name, *getattr(settings, name))
        elif name in settings.model_fields_set:
            raise SearchError(f"{name} is given twice, as a setting of its own and in space; keep one of them")
    return box_of(space)
