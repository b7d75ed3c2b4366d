"""From settings and a size to the study that holds an experiment."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.dataset import inspect_dataset, read_labels
from data.files import check_writable
from model.network.network import require_reachable
from search.errors import SearchError
from search.run.logs import log_folder
from search.run.searching import make_study
from search.settings.settings import Settings
from search.storage.artifacts import artifact_folder
from search.study.spec import StudySpec
from search.study.study import Study
from search.study.variants import Experiment
from search.tasks.images.options import keeping_of
from search.tasks.images.specifying import require_fitting, spec_of
from search.tasks.images.task import precision_for
from search.tasks.images.variation import recipe_for, varied

UNSET = {
    "finalists": 0, "trials": (1,), "images": 1, "epochs": 1,
    "space": None, "ranges": None, "network": None, "enqueue": None,
    "sampler": "random", "pruning": "none",
}  # fmt: skip
"""Settings of a search that an experiment has no use for, whatever a settings file says of them."""


def study_name(study: str, experiment: str) -> str:
    """Return the name of the study that holds an experiment next to the search `study`."""
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
    most = max(int(variant.budget["images"]) for variant in experiment.variants)
    require_fitting(own.model_copy(update={"images": most}), info)
    if any(keeping_of(variant.options).files for variant in experiment.variants) and artifact_folder(own) is None:
        raise SearchError(
            f"{experiment.name} keeps networks, and this storage has no place for them; give --artifacts DIR"
        )
    recipe, labels = recipe_for(own.recipe, None), read_labels(dataset, "training")
    for variant in experiment.variants:
        network = varied(recipe, info.image_shape, variant.params).network()
        require_reachable(network, float(labels.min()), float(labels.max()))

    def spec_for(stored: StudySpec | None) -> StudySpec:
        spec = spec_of(own, info, precision_for(own, stored))
        return replace(spec, trials=(experiment.slots,), box=experiment.box, experiment=experiment)

    check_writable(log_folder(own) / "worker-1.log")
    return make_study(own, spec_for)
