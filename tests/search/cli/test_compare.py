import json

import numpy as np
import pytest

import model.engine.device
from data.dataset import inspect_dataset
from search.results.paired import compare
from tests.integration import fake_study
from tests.integration.fake_study import finalist_budget
from tests.search.tiny import work_off, write_fit


@pytest.fixture
def two_fits(tmp_path, monkeypatch):
    """Two fits that answer 30 and 40, whatever they see."""

    class FakeModel:
        def __init__(self, path):
            self.answer = float(path.parent.name)

        def predict(self, images):
            return np.full(len(images), self.answer, np.float32)

    monkeypatch.setattr("model.results.keras_file.KerasFile", FakeModel)
    monkeypatch.setattr(model.engine.device, "configure_for_predictions", lambda: None)
    for name in ("30", "40"):
        write_fit(tmp_path / name)


@pytest.mark.usefixtures("two_fits")
@pytest.mark.parametrize(("split", "told"), [("validation", True), ("test", False)])
def test_who_compares_on_the_split_that_chose_the_fits_epochs_is_told(split, told, agesearch, faces, tmp_path):
    for name in ("30", "40"):
        write_fit(tmp_path / name, digest=inspect_dataset(faces).digest)
    said = agesearch("compare", "30", "40", "--data", "faces.h5", "--split", split).out
    chose = "this is the split that chose each fit's epoch, which favours the longer fit a little"
    assert (said.splitlines()[-1] == chose) is told


@pytest.mark.usefixtures("two_fits")
@pytest.mark.parametrize(("split", "count"), [("validation", 4), ("test", 3)])
def test_two_fits_are_compared_on_the_same_images(split, count, agesearch, faces):
    from data.dataset import read_labels

    labels = read_labels(faces, split)
    expected = compare(*(np.full(count, answer, np.float32) for answer in (30, 40)), labels)
    chosen = () if split == "validation" else ("--split", split)
    ended = agesearch("compare", "30", "40", "--data", "faces.h5", *chosen)
    assert ended.code == 0
    assert [f"{name} was fitted on another dataset" in ended.err for name in ("30", "40")] == [True, True]
    first, second, difference, *last = ended.out.splitlines()
    assert last == []
    assert first.startswith(f"30: {split} MAE {np.abs(30 - labels).mean():.3f} ± ")
    assert second.startswith(f"40: {split} MAE {np.abs(40 - labels).mean():.3f} ± ")
    assert difference == expected.sentence("years", ("30", "40"))
    found = json.loads(agesearch("compare", "30", "40", "--data", "faces.h5", *chosen, "--json").out)
    assert (found["split"], found["difference"]) == (split, expected.as_dict())
    assert [one["model"] for one in found["models"]] == ["30", "40"]


@pytest.mark.usefixtures("two_fits", "faces")
def test_fits_may_be_named_by_their_models(agesearch):
    by_model = agesearch("compare", "30/model.keras", "40", "--data", "faces.h5")
    assert (by_model.code, by_model.out) == (0, agesearch("compare", "30", "40", "--data", "faces.h5").out)


def test_two_studies_are_compared_over_the_trials_they_share(agesearch, study):
    other = fake_study.create_or_resume(study.storage, "other", fake_study.spec_of(3, recipe="paper"))
    work_off(other)
    ended = agesearch("compare", "age", "other")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].split()[:4] == ["study", "with", "a", "value"]
    assert "validation MAE" in lines[0]  # in both rows, though one of the recipes ranks by more than that
    assert [line.split()[:2] for line in lines[1:3]] == [["age", "3"], ["other", "3"]]
    assert lines[3].startswith("over the trials that both ran alike, validation MAE: difference +0.000 years")
    assert lines[3].endswith(": age and other are tied")
    found = json.loads(agesearch("compare", "age", "other", "--json").out)
    assert (found["names"], found["paired"]["pairs"]) == (["age", "other"], 3)


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        (8, "difference of the finalists +0.000 ± "),
        (9, "the finalists had different budgets or scores, so their scores are not comparable"),
    ],
)
def test_the_best_finalists_of_two_studies_are_compared(epochs, said, agesearch, study):
    for name, count in (("a", 8), ("b", epochs)):
        spec = fake_study.spec_of(2, finalists=finalist_budget(2, 2, 700, count))
        work_off(fake_study.create_or_resume(study.storage, name, spec))
    lines = agesearch("compare", "a", "b").out.splitlines()
    assert lines[3].startswith("a: its best finalist scores ")
    assert lines[3].endswith("years over 2 seeds (700 images, 8 epochs)")
    assert lines[5].startswith(said)


def test_studies_without_a_shared_trial_are_not_called_better_or_worse(agesearch, study):
    work_off(fake_study.create_or_resume(study.storage, "other", fake_study.spec_of(3, seed=9)))
    assert agesearch("compare", "age", "other").out.splitlines()[-1].startswith("too few trials have the same")


@pytest.mark.usefixtures("two_fits")
def test_a_fit_is_not_compared_with_a_study(refused):
    said = refused("compare", "30", "age")
    assert said == "'age' is not a folder, but the other one is; give two folders of fits or two studies"


def test_the_name_of_a_study_may_be_longer_than_a_files(refused):
    assert refused("compare", "x" * 300, "y").startswith("no study storage at ")
