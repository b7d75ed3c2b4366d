"""Every experiment with the real network, as small as it can be, and the report that is made of them all."""

import json
from threading import Event

import pytest

from data.build import build_dataset
from data.dataset import read_split
from data.options import BuildOptions
from search.report.runs import runs_of
from search.run.loop import work
from search.storage.database import open_storage
from search.study.slots import Slots
from search.study.study import load_study
from tests.search.declared_experiments import BY_NAME

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SIZE = ["--data", "faces.h5", "--precision", "float32"]
SMALL = ["--images", "8", "--epochs", "2", "--repeats", "1"]
PROXY = ["--configurations", "3", "--budgets", "8x1,4x1", "--images", "16", "--epochs", "2", "--repeats", "2"]
FLAGS = dict.fromkeys(BY_NAME, SMALL) | {"capacity": ["--epochs", "8", "--repeats", "1"], "proxy": PROXY}
TRIALS = {
    "capacity": 1, "batchnorm": 4, "dropout": 3, "initialization": 2, "batch-size": 2, "training-length": 1,
    "residual": 2, "augmentation": 4, "proxy": 21,
}  # fmt: skip
FIGURES = {
    "figure-2-capacity", "figure-3-batchnorm-1", "figure-3-batchnorm-2", "dropout", "initialization", "batch-size",
    "figure-5-6-lengths", "residual", "augmentation-1", "augmentation-2", "proxy",
}  # fmt: skip


@pytest.fixture
def in_this_process(monkeypatch):
    """Work off every study here, so that TensorFlow is loaded once; workers of their own are tested elsewhere."""
    from model.engine.device import configure

    configure(1)
    from search.tasks.images.objective import Objective

    def launch(settings, study, _watch):
        dataset = settings.data
        objective = Objective(study.spec.task, read_split(dataset, "training"), read_split(dataset, "validation"))
        work(Slots(study), objective, Event())
        return True

    monkeypatch.setattr("search.tasks.working.launch_workers", launch)


@pytest.mark.usefixtures("in_this_process")
def test_all_experiments_run_to_their_end_and_the_report_shows_their_figures(agesearch, tmp_path):
    build_dataset("synthetic", tmp_path / "faces.h5", BuildOptions(sizes=(20, 8, 4)))
    for name, flags in FLAGS.items():
        ended = agesearch("experiment", name, *SIZE, *flags)
        assert ended.code == 0, ended.err
        assert "have no value" not in ended.out
        study = load_study(open_storage("sqlite:///runs/study.db"), f"age-{name}")
        assert Slots(study).counts(1).finished == TRIALS[name], name
        study.storage.engine.dispose()
    made = json.loads(agesearch("report", "--data", "faces.h5", "--json").out)
    assert not {each["title"] for each in made["left_out"]} & {each.title for each in BY_NAME.values()}
    figures = {path.stem for path in (tmp_path / "runs/report/figures").iterdir()}
    assert figures >= FIGURES
    assert (tmp_path / "runs/report/tables/table-3-lengths.csv").read_text().count("\n") == 9
    (capacity,) = runs_of(load_study(open_storage("sqlite:///runs/study.db"), "age-capacity")).values()
    assert min(capacity[0].training) < capacity[0].training[0] / 2
    page = (tmp_path / "runs/report/report.html").read_text()
    assert page.count("data:image/png;base64") >= len(FIGURES)
