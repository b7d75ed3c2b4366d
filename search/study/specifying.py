"""From settings to the study that they describe, new or resumed, and what of them can never work with a dataset."""

from dataclasses import replace
from typing import Any

from data.counting import counted
from data.dataset import DatasetInfo, read_labels
from model.errors import ModelError
from model.network import Network, require_reachable
from search.errors import SearchError
from search.settings import Ranges, Settings
from search.space.box import Box, LogRange
from search.space.enqueued import in_terms_of
from search.space.network_file import read_network
from search.space.parameters import box_of
from search.space.ranges import Value
from search.space.samplers import require_installed
from search.space.variation import recipe_for, varied
from search.study.spec import FinalistBudget, StudySpec

SAME_NAMES = (
    "seed", "trials", "recipe", "sampler", "pruning", "pruning_images", "threads", "images", "epochs", "batch_size",
    "max_attempts",
)  # fmt: skip
"""Settings that a study keeps as they are, under their own names."""


def spec_of(settings: Settings, info: DatasetInfo, precision: str) -> StudySpec:
    """Return the study that the settings describe, for that dataset."""
    box = _box(settings)
    return StudySpec(
        dataset=info.digest,
        unit=info.unit,
        precision=precision,
        box=box,
        ranges=_later(box, settings.ranges) if settings.ranges else None,
        finalists=_finalists(settings),
        network=_network(settings),
        enqueued=in_terms_of(box, settings.enqueue or ()),
        **{name: getattr(settings, name) for name in SAME_NAMES},
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
    own = {name: value for name, value in _settings_of(stored, settings).items() if name not in said}
    spec = spec_of(settings.model_copy(update=own), info, precision)
    return replace(
        spec,
        network=spec.network if "network" in said else stored.network,
        enqueued=spec.enqueued if "enqueue" in said else stored.enqueued,
    )


def finalist_settings(budget: FinalistBudget | None) -> dict[str, int]:
    """Return the settings that make a study have those finalists."""
    if budget is None:
        return {"finalists": 0}
    return {
        "finalists": budget.configurations,
        "finalist_repeats": budget.repeats,
        "finalist_images": budget.images,
        "finalist_epochs": budget.epochs,
    }


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
    own = {name: getattr(stored, name) for name in SAME_NAMES} | finalist_settings(stored.finalists)
    if stored.ranges:
        own["ranges"] = Ranges.model_validate(_bounds(stored.ranges))
    bounds = _bounds(stored.box)
    elsewhere = {*bounds, *asked.model_fields_set}
    own["space"] = tuple(each for each in stored.box.ranges if each.name not in elsewhere) or None
    return own | {name: each for name, each in bounds.items() if name not in {one.name for one in asked.space or ()}}


def _bounds(box: Box) -> dict[str, tuple[float, float]]:
    """Return the bounds of the ranges that are settings of their own, by name."""
    plain = (each for each in box.ranges if isinstance(each, LogRange) and each.name in ("learning_rate", "l2"))
    return {each.name: (each.low, each.high) for each in plain}


def _finalists(settings: Settings) -> FinalistBudget | None:
    if not settings.finalists:
        return None
    return FinalistBudget(
        settings.finalists,
        settings.finalist_repeats,
        settings.finalist_images or settings.images,
        settings.finalist_epochs or settings.epochs,
    )


def _box(settings: Settings) -> Box:
    """Return the first box; raises SearchError where a parameter has both a setting of its own and one in the space."""
    space = {each.name: each for each in settings.space or ()}
    for name in ("learning_rate", "l2"):
        if name not in space:
            space[name] = LogRange(name, *getattr(settings, name))
        elif name in settings.model_fields_set:
            raise SearchError(f"{name} is given twice, as a setting of its own and in space; keep one of them")
    return box_of(space)


def _later(box: Box, given: Ranges) -> Box:
    """Return the box with the ranges that are given; everything else stays as it was."""
    ranges = {name: LogRange(name, *bounds) for name, bounds in given if bounds}
    return Box(tuple(ranges.get(each.name, each) for each in box.ranges))
