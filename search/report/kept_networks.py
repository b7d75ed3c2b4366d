"""The networks that an experiment's trials have kept: what they are worth on the test split."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from optuna.artifacts.exceptions import ArtifactNotFound

from data.arrays import Split
from data.dataset import inspect_dataset, read_split
from model.errors import ModelError
from model.results.evaluation import evaluate
from search.report.runs import Run, runs_of
from search.report.sections import LeftOut
from search.storage.artifacts import ArtifactFolder
from search.study.study import Study
from search.tasks.images.options import keeping_of

TestErrors = Mapping[int, Mapping[str, float]]
"""The mean absolute errors on the test split, by repeat and then by the name of the file with the network."""

NOTHING_TESTED: Final[TestErrors] = {}
TITLE: Final = "Test errors at the lengths of the training"


def evaluate_kept(
    study: Study, artifacts: ArtifactFolder | None, dataset: Path | None
) -> tuple[TestErrors, tuple[LeftOut, ...]]:
    """Evaluate every network that the finished trials were to keep, and say why not where it cannot be."""
    wanted = _wanted(study)
    if not wanted:
        return NOTHING_TESTED, ()
    if dataset is None:
        return _nothing("no dataset is named; give --data FILE.h5")
    if artifacts is None:
        return _nothing("the folder of the trials' artifacts is not known; name it by the setting 'artifacts'")
    if inspect_dataset(dataset).digest != study.spec.task.files["data"].digest:
        return _nothing(f"{study.name} trained on another dataset than {dataset}")
    test, lost = read_split(dataset, "test"), list[str]()
    errors: dict[int, dict[str, float]] = {run.repeat: {} for run, _ in wanted}
    for run, file in wanted:
        try:
            errors[run.repeat][file] = _test_error(artifacts, run.files[file], test)
        except (KeyError, ArtifactNotFound, ModelError):
            lost.append(f"{file} of seed {run.repeat}")
    said = f"{study.name} has not kept, or has lost, {', '.join(lost)}; the trials' artifacts are in {artifacts.path}"
    return errors, (LeftOut(TITLE, said),) if lost else ()


def _wanted(study: Study) -> list[tuple[Run, str]]:
    """Return the files that there should be, each with the run that was to keep it."""
    variants = study.spec.experiment.variants if study.spec.experiment else ()
    kept = {variant.name: found for variant in variants if (found := keeping_of(variant.options).files)}
    runs = runs_of(study) if kept else {}
    return [(run, file) for name, files in kept.items() for run in runs[name] for file in files]


def _nothing(reason: str) -> tuple[TestErrors, tuple[LeftOut, ...]]:
    return NOTHING_TESTED, (LeftOut(TITLE, reason),)


def _test_error(artifacts: ArtifactFolder, artifact: str, test: Split) -> float:
    content = artifacts.open_reader(artifact).read()
    from model.engine.device import configure_for_predictions

    configure_for_predictions()
    from model.results.keras_file import KerasFile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kept.keras"
        path.write_bytes(content)
        return evaluate(KerasFile(path).predict(test.images), test.labels).mae
