import json
import re

import numpy as np
import pytest

import model.device
from data.dataset import inspect_dataset
from model.comparison import compare
from model.paper import paper_network
from model.quantity import Quantity
from model.summary import summary
from search.experiment.declared import DECLARED
from search.report.sections import Report, Section
from search.study.spec import FinalistBudget
from tests.integration import fake_study
from tests.search.tiny import work_off, write_fit

EXPERIMENTS = len(DECLARED) + 1  # and the proxy


@pytest.fixture
def made(monkeypatch):
    """What reports are made of, instead of making them."""
    seen = []

    def make(sources):
        seen.append(sources)
        return Report("Report", (), (Section("Result", ()),), sources.left_out)

    monkeypatch.setattr("search.report.report.make_report", make)
    return seen


@pytest.fixture
def study(tmp_path):
    """A finished study in runs/study.db, where the commands look."""
    (tmp_path / "runs").mkdir()
    study = fake_study.create_or_resume(fake_study.new_storage(tmp_path / "runs"), "age", fake_study.spec_of(3))
    work_off(study)
    yield study
    study.storage.engine.dispose()


@pytest.mark.usefixtures("faces")
def test_a_report_is_made_of_what_lies_where_the_other_commands_put_it(agesearch, made, study, tmp_path):
    write_fit(tmp_path / "runs/fit")
    ended = agesearch("report", "--data", "faces.h5")
    *left_out, last = ended.out.splitlines()
    assert (ended.code, last, ended.err) == (0, "runs/report/report.html: 0 figures, 0 tables", "")
    assert len(left_out) == EXPERIMENTS
    assert all(
        re.fullmatch(r"left out: .*: it was not run; 'agesearch experiment [a-z-]+' runs it", line) for line in left_out
    )
    (sources,) = made
    assert [str(path) for path in (sources.dataset, *sources.fits)] == ["faces.h5", "runs/fit"]
    assert sources.study.spec == study.spec
    assert (tmp_path / "runs/report/report.html").is_file()


def test_a_report_reads_and_writes_in_the_folder_of_the_setting_out(agesearch, made, monkeypatch, tmp_path):
    write_fit(tmp_path / "there/fit")
    monkeypatch.setenv("AGESEARCH_OUT", "there")
    assert agesearch("report").out.splitlines()[-1].startswith("there/report/report.html: ")
    assert [str(folder) for folder in made[0].fits] == ["there/fit"]


def test_what_there_is_not_is_left_out_and_said(agesearch, made):
    ended = agesearch("report", "--out", "here")
    assert (ended.code, ended.err) == (0, "")
    of_experiments = [line for line in ended.out.splitlines() if "agesearch experiment" in line]
    assert len(of_experiments) == EXPERIMENTS
    assert [line for line in ended.out.splitlines() if line not in of_experiments] == [
        "left out: Dataset: no dataset is named; give --data FILE.h5",
        "left out: Search: no study storage at sqlite:///runs/study.db; start one with 'agesearch search'",
        "left out: Final fit and its errors: no fit is named and runs/fit holds none; give --fit DIR",
        "here/report.html: 0 figures, 0 tables",
    ]
    (sources,) = made
    assert (sources.dataset, sources.study, sources.fits) == (None, None, ())


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("named", [("--study", "age"), ("--storage", "sqlite:///none.db")])
def test_a_study_that_was_named_must_be_there(named, refused):
    assert "no study storage at" in refused("report", *named)


def test_the_fits_that_were_named_are_reported_in_their_order(agesearch, made):
    agesearch("report", "--fit", "b", "--fit", "a")
    assert [str(folder) for folder in made[0].fits] == ["b", "a"]


@pytest.mark.usefixtures("made")
def test_a_report_answers_as_json(agesearch):
    found = json.loads(agesearch("report", "--out", "here", "--json").out)
    assert (found["page"], found["sections"]) == ("here/report.html", ["Result"])
    assert found["left_out"][0] == {"title": "Dataset", "reason": "no dataset is named; give --data FILE.h5"}


def test_where_nothing_can_be_written_nothing_is_read(refused, made, tmp_path):
    (tmp_path / "out").touch()
    assert refused("report", "--out", "out").startswith("cannot write out/report.html")
    assert made == []


@pytest.fixture
def two_fits(tmp_path, monkeypatch):
    """Two fits that answer 30 and 40, whatever they see."""

    class FakeModel:
        def __init__(self, path):
            self.answer = float(path.parent.name)

        def predict(self, images):
            return np.full(len(images), self.answer, np.float32)

    monkeypatch.setattr("model.saved_model.SavedModel", FakeModel)
    monkeypatch.setattr(model.device, "configure_for_predictions", lambda: None)
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
    assert difference == expected.sentence(Quantity("years"))
    found = json.loads(agesearch("compare", "30", "40", "--data", "faces.h5", *chosen, "--json").out)
    assert (found["split"], found["difference"]) == (split, expected.as_dict())
    assert [one["model"] for one in found["models"]] == ["30", "40"]


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
    found = json.loads(agesearch("compare", "age", "other", "--json").out)
    assert (found["names"], found["paired"]["pairs"]) == (["age", "other"], 3)


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        (8, "difference of the finalists +0.000 ± "),
        (9, "the finalists had different budgets or recipes, so their scores are not comparable"),
    ],
)
def test_the_best_finalists_of_two_studies_are_compared(epochs, said, agesearch, study):
    for name, count in (("a", 8), ("b", epochs)):
        spec = fake_study.spec_of(2, finalists=FinalistBudget(2, 2, 700, count))
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


def test_the_network_is_printed_as_the_papers_appendix_does_and_drawn(agesearch, tmp_path):
    ended = agesearch("summary", "--figure", "network.png")
    assert (ended.code, ended.out) == (0, summary(paper_network()) + "\n")
    assert (tmp_path / "network.png").read_bytes().startswith(b"\x89PNG")
    assert "1,378,968" in agesearch("summary", "--recipe", "strong").out
    found = json.loads(agesearch("summary", "--json").out)
    assert (found["parameters"], found["trainable_parameters"]) == (1_431_905, 1_429_217)
    assert found["layers"][0] == {
        "name": "conv2d_0",
        "keras_type": "Conv2D",
        "output_shape": [89, 89, 32],
        "parameters": 320,
    }


@pytest.mark.usefixtures("faces")
def test_a_network_of_the_user_s_own_is_printed_for_the_dataset_s_images(agesearch, tmp_path):
    (tmp_path / "net.toml").write_text('[[layers]]\nkind = "flatten"\n[[layers]]\nkind = "dense"\nunits = 1\n')
    found = json.loads(agesearch("summary", "--network", "net.toml", "--data", "faces.h5", "--json").out)
    height, width, channels = inspect_dataset(tmp_path / "faces.h5").image_shape
    assert found["parameters"] == height * width * channels + 1
