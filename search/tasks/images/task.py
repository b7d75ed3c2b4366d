"""The task `images`: a network for the labels of a dataset's images, trained on the compiled engine."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from data.dataset import inspect_dataset, read_split
from search.errors import SearchError
from search.settings.settings import Settings
from search.space.samplers import require_installed
from search.study.spec import StudySpec
from search.study.study import Study
from search.tasks.checking import Checked
from search.tasks.images.baseline import median_error, nothing_learnt
from search.tasks.images.check import check_images, small_slot
from search.tasks.images.configuration import tables_of
from search.tasks.images.specifying import precision_of, require_fitting, spec_of, spec_to_resume, threads_of
from search.tasks.task import Baseline, Devices, Runner

MEDIAN: Final = "always answering the median"


class Images:
    """Trials of image regression."""

    kind = "images"

    def require_possible(self, settings: Settings) -> None:
        """Raise SearchError, or ModelError, for what cannot work with the dataset."""
        require_fitting(settings, inspect_dataset(settings.require_data()))

    def spec(self, settings: Settings, stored: StudySpec | None) -> StudySpec:
        """Return the study that the settings describe; its precision is measured here if they say auto."""
        info = inspect_dataset(settings.require_data())
        precision = precision_for(settings, stored)
        return spec_to_resume(settings, info, precision, stored) if stored else spec_of(settings, info, precision)

    def worker_settings(self, settings: Settings) -> Mapping[str, str]:
        """Return where the dataset is."""
        return {"data": str(settings.require_data().absolute())}

    def threads(self, spec: StudySpec) -> int:
        """Return the study's own number of threads."""
        return threads_of(spec)

    def devices(self, spec: StudySpec) -> Devices:
        """Return the GPUs that TensorFlow sees, and how many workers of a study's threads the cores have room for."""
        found = machine()
        return Devices(found["gpus"], max(1, found["cores"] // threads_of(spec)))

    @contextmanager
    def open(self, study: Study, settings: Settings, gpu_share: float) -> Iterator[Runner]:
        """Read the data once and set the device up; networks are compiled once for the trials that share them."""
        require_installed(study.spec.sampler)
        dataset = settings.require_data()
        info, made_for = inspect_dataset(dataset), study.spec.task.files["data"].digest
        if info.digest != made_for:
            raise SearchError(
                f"{dataset} has the digest {info.digest[:12]}…, the study {study.name!r} was made for "
                f"{made_for[:12]}…; give the dataset it was made for"
            )
        from model.engine.device import configure, device_name

        configure(threads_of(study.spec), gpu_share)
        from search.tasks.images.objective import Objective

        objective = Objective(study.spec.task, read_split(dataset, "training"), read_split(dataset, "validation"))
        yield Runner(objective, device_name())

    def tables(self, spec: StudySpec) -> dict[str, Any]:
        """Return training, network and dataset, as the final fit reads them."""
        return tables_of(spec)

    def baseline(self, settings: Settings) -> Baseline:
        """Return what always answering the median of the training labels scores."""
        return Baseline(MEDIAN, median_error(settings.require_data()))

    def doubt(self, study: Study, settings: Settings) -> str:
        """Say where no trial clearly beats the median."""
        return nothing_learnt(study, median_error(settings.require_data()))

    def check(self, settings: Settings) -> Checked:
        """Find out whether a small slot's trial repeats, in processes that load TensorFlow."""
        dataset = settings.require_data()
        info = inspect_dataset(dataset)
        small = settings.model_copy(update=small_slot(info))
        require_fitting(small, info)
        return check_images(spec_of(small, info, precision_for(settings, None)), dataset)


def precision_for(settings: Settings, stored: StudySpec | None) -> str:
    """Return the precision that the settings ask for: with auto that of the study, or else the faster one here."""
    if settings.precision != "auto":
        return settings.precision
    return precision_of(stored) if stored else str(machine()["precision"])


@cache
def machine() -> dict[str, Any]:
    """Ask a process of its own for GPUs, cores and the fastest precision, so that this one needs no TensorFlow."""
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "model.engine.device"], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        reason = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SearchError(f"cannot look for devices, as TensorFlow does not start: {reason}")
    found: dict[str, Any] = json.loads(asked.stdout)
    return found
