from dataclasses import replace

import numpy as np
import pytest

import model.engine.device
from data.dataset import inspect_dataset, read_labels
from model.errors import ModelError
from search.report.declared import Size, experiment_of
from search.report.kept_networks import TITLE, evaluate_kept
from search.report.sections import LeftOut
from search.run.loop import Workplace, work
from search.storage.artifacts import ArtifactFolder
from search.study.slots import Slots
from search.tasks.images.options import keeping_of
from tests.integration import fake_study
from tests.search.declared_experiments import BY_NAME
from tests.search.tiny import run_variant

FILES = ("epoch-1.keras", "epoch-2.keras", "epoch-3.keras", "best.keras")


@pytest.fixture(autouse=True)
def models(monkeypatch):
    """Let every network answer the number that its file has; one without a number is damaged."""

    class FakeModel:
        def __init__(self, path):
            assert path.suffix == ".keras"
            try:
                self.answer = float(path.read_text())
            except ValueError as error:
                raise ModelError("damaged") from error

        def predict(self, images):
            return np.full(len(images), self.answer, np.float32)

    monkeypatch.setattr("model.results.keras_file.KerasFile", FakeModel)
    monkeypatch.setattr(model.engine.device, "configure_for_predictions", lambda: None)


@pytest.fixture
def artifacts(tmp_path):
    return ArtifactFolder(tmp_path / "artifacts")


@pytest.fixture
def study_of(faces, artifacts, no_stop):
    """Make a finished study of the training's length, two seeds of three epochs, that has kept these files."""
    with fake_study.in_memory() as folder:
        storage = fake_study.new_storage(folder)

        def create(files=FILES, content=lambda trial, place: 10 * trial.slot + place, dataset=None):
            experiment = experiment_of(BY_NAME["training-length"], Size(5, 3, 2), 6)
            spec = fake_study.spec_of(
                experiment.slots,
                experiment=experiment,
                box=experiment.box,
                dataset=dataset or inspect_dataset(faces).digest,
            )
            study = fake_study.create_or_resume(storage, "age-training-length", spec)

            def run(trial):
                assert keeping_of(trial.options).files == FILES
                kept = {name: str(content(trial, place)).encode() for place, name in enumerate(files)}
                return replace(run_variant(trial), files=kept)

            work(Slots(study), run, no_stop, Workplace(artifacts=artifacts))
            return study

        yield create
        storage.engine.dispose()


def test_every_network_that_was_kept_is_evaluated_on_the_test_split(study_of, artifacts, faces):
    errors, left_out = evaluate_kept(study_of(), artifacts, faces)
    labels = read_labels(faces, "test")
    assert left_out == ()
    assert errors == {
        seed: {name: pytest.approx(np.abs(10 * seed + place - labels).mean()) for place, name in enumerate(FILES)}
        for seed in (0, 1)
    }


def test_networks_that_were_not_kept_or_are_damaged_are_named_and_the_others_evaluated(study_of, artifacts, faces):
    study = study_of(FILES[1:], lambda trial, place: "noise" if (trial.slot, place) == (1, 2) else place)
    errors, (left_out,) = evaluate_kept(study, artifacts, faces)
    assert [sorted(each) for each in errors.values()] == [sorted(FILES[1:]), sorted(FILES[1:3])]
    assert "epoch-1.keras of seed 0, epoch-1.keras of seed 1, best.keras of seed 1" in left_out.reason


def test_a_file_that_was_removed_is_named(study_of, artifacts, faces):
    study = study_of()
    for path in artifacts.path.iterdir():
        path.unlink()
    errors, (left_out,) = evaluate_kept(study, artifacts, faces)
    assert errors == {0: {}, 1: {}}
    assert left_out.reason.count(".keras of seed") == 2 * len(FILES)


def test_what_is_needed_and_not_there_is_said(study_of, artifacts, faces):
    study = study_of()
    nothing = {}
    assert evaluate_kept(study, artifacts, None) == (
        nothing, (LeftOut(TITLE, "no dataset is named; give --data FILE.h5"),),
    )  # fmt: skip
    assert "name it by the setting 'artifacts'" in evaluate_kept(study, None, faces)[1][0].reason


def test_the_test_split_of_another_dataset_proves_nothing(study_of, artifacts, faces):
    errors, (left_out,) = evaluate_kept(study_of(dataset="0f"), artifacts, faces)
    assert (errors, left_out.reason) == ({}, f"age-training-length trained on another dataset than {faces}")
