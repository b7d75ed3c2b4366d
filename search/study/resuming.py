"""Resuming a study by its name: what nobody has spoken of is as the study has it."""

from dataclasses import replace
from typing import Any

from data.dataset import DatasetInfo
from search.settings import Ranges, Settings
from search.space.box import Box, LogRange
from search.study.spec import StudySpec
from search.study.specifying import spec_of

SAME_NAMES = (
    "seed", "trials", "recipe", "sampler", "pruning", "pruning_images", "threads", "images", "epochs", "batch_size",
    "max_attempts",
)  # fmt: skip


def spec_to_resume(settings: Settings, info: DatasetInfo, precision: str, stored: StudySpec) -> StudySpec:
    """Return the study that the settings ask for where `stored` is there: they may differ in what they say alone."""
    said = settings.model_fields_set
    own = {name: value for name, value in _settings_of(stored, settings).items() if name not in said}
    spec = spec_of(settings.model_copy(update=own), info, precision)
    return replace(
        spec,
        network=spec.network if "network" in said else stored.network,
        enqueued=spec.enqueued if "enqueue" in said else stored.enqueued,
    )


def _settings_of(stored: StudySpec, asked: Settings) -> dict[str, Any]:
    """Return the settings that make `stored`, but for those of which a study keeps something else, network and enqueue.

    A learning rate or L2 that is asked for in the space is no setting of its own.
    """
    own = {name: getattr(stored, name) for name in SAME_NAMES} | {"finalists": 0}
    if finalists := stored.finalists:
        own |= {"finalists": finalists.configurations, "finalist_repeats": finalists.repeats}
        own |= {"finalist_images": finalists.images, "finalist_epochs": finalists.epochs}
    if stored.ranges:
        own["ranges"] = Ranges.model_validate(_bounds(stored.ranges))
    bounds = _bounds(stored.box)
    own["space"] = tuple(each for each in stored.box.ranges if each.name not in bounds) or None
    return own | {name: each for name, each in bounds.items() if name not in {one.name for one in asked.space or ()}}


def _bounds(box: Box) -> dict[str, tuple[float, float]]:
    """Return the bounds of the ranges that are settings of their own, by name."""
    plain = (each for each in box.ranges if isinstance(each, LogRange) and each.name in ("learning_rate", "l2"))
    return {each.name: (each.low, each.high) for each in plain}
