"""From settings and a size to the study that holds an experiment."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.dataset import inspect_dataset, read_labels
from model.network import require_reachable
from search.errors import SearchError
from search.processes.searching import make_study
from search.settings import Settings
from search.space.variation import recipe_for, varied
from search.storage.artifacts import artifact_folder
from search.study.spec import StudySpec
from search.study.specifying import require_fitting, spec_of
from search.study.study import Study
from search.study.variants import Experiment

UNSET = {
    "finalists": 0, "trials": (1,), "images": 1, "epochs": 1,
    "space": None, "ranges": None, "network": None, "enqueue": None,
    "sampler": "random", "pruning": "none",
}  # fmt: skip
"""Settings of a search that an experiment has no use for, whatever a settings file says of them."""


def study_name(study: str, experiment: str) -> str:
    """Return the name of the study that holds an experiment beside the search `study`."""
    return f"{study}-{experiment}"


def settings_for(settings: Settings, experiment: str) -> Settings:
    """Return the settings that the study of an experiment is made and worked on with."""
    return settings.model_copy(update={**UNSET, "study": study_name(settings.study, experiment)})


def prepare_experiment(settings: Settings, dataset: Path, make: Callable[[int], Experiment]) -> Study:
    """Create the study of an experiment, or resume it; `make(training images)` says what it is.

    Raises SearchError where it exists in another size or asks for more images than there are, ModelError where a
    variant makes no network for them or none that can answer their labels, or DatasetError where `dataset` is none.
    """
    info = inspect_dataset(dataset)
    experiment = make(info.counts["training"])
    own = settings_for(settings, experiment.name)
    require_fitting(own.model_copy(update={"images": max(each.images for each in experiment.variants)}), info)
    if any(each.keeping.files for each in experiment.variants) and artifact_folder(own) is None:
        raise SearchError(
            f"{experiment.name} keeps networks, and this storage has no place for them; give --artifacts DIR"
        )
    recipe, labels = recipe_for(own.recipe, None), read_labels(dataset, "training")
    for variant in experiment.variants:
        network = varied(recipe, info.image_shape, variant.params).network()
        require_reachable(network, float(labels.min()), float(labels.max()))

    def spec_for(precision: str, _stored: StudySpec | None) -> StudySpec:
        spec = spec_of(own, info, precision)
        return replace(spec, trials=(experiment.slots,), box=experiment.box, experiment=experiment)

    return make_study(own, spec_for)
