"""One worker process: the device set up, the data read once, the network compiled once, then trial after trial."""

from pathlib import Path
from threading import Event

from data.dataset import inspect_dataset, read_split
from search.dashboard.board import Board
from search.errors import SearchError
from search.processes.loop import Workplace, work
from search.settings import Settings
from search.slots.slots import Slots
from search.space.samplers import require_installed
from search.storage.artifacts import artifact_folder
from search.storage.database import open_storage, quieten_optuna
from search.study.study import load_study


def run_worker(settings: Settings, dataset: Path, stop: Event, gpu_share: float = 1.0) -> None:
    """Work on the study until it is done or `stop` is set, with `gpu_share` of the GPU's memory, where there is one.

    Raises SearchError where the study is unknown, or was made for another dataset.
    """
    quieten_optuna()
    study = load_study(open_storage(settings.storage), settings.study)
    require_installed(study.spec.sampler)
    info = inspect_dataset(dataset)
    if info.digest != study.spec.dataset:
        raise SearchError(
            f"{dataset} has the digest {info.digest[:12]}…, the study {study.name!r} was made for "
            f"{study.spec.dataset[:12]}…; give the dataset it was made for"
        )
    from model.device import configure, device_name

    configure(study.spec.threads, gpu_share)
    from search.processes.objective import Objective

    objective = Objective(study.spec, read_split(dataset, "training"), read_split(dataset, "validation"))
    place = Workplace(device_name(), artifact_folder(settings), Board(study).update)
    work(Slots(study), objective, stop, place)
