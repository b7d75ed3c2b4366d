import pytest

import model.engine.device
from search.errors import SearchError
from search.settings.settings import Settings
from search.storage.database import create_storage
from search.study.study import create_or_resume
from search.study.trial import Outcome
from search.study.workers import list_workers
from search.tasks.images import objective
from search.tasks.images import task as images
from search.tasks.working import run_worker
from tests.integration.fake_study import finished, run_trial, spec_of
from tests.search.tiny import write_tiny


@pytest.fixture
def reads(monkeypatch):
    """The names of the splits that are read."""
    read, names = images.read_split, []
    monkeypatch.setattr(images, "read_split", lambda path, name: names.append(name) or read(path, name))
    return names


@pytest.fixture
def device(monkeypatch):
    """A device that TensorFlow is not loaded for; the list gets the threads that it is set up with."""
    threads = []
    monkeypatch.setattr(model.engine.device, "configure", lambda count, _share: threads.append(count))
    monkeypatch.setattr(model.engine.device, "device_name", lambda: "a processor")
    return threads


class FakeObjective:
    def __init__(self, spec, training, validation):
        self.given = (spec, len(training), len(validation))

    def __call__(self, trial) -> Outcome:
        assert self.given[1:] == (6, 4)
        return run_trial(trial)


@pytest.fixture
def study_on(storage, tmp_path, monkeypatch):
    """Make a study on a tiny dataset; returns it with the settings that a worker is given."""
    monkeypatch.setattr(objective, "Objective", FakeObjective)

    def create(*stages, **settings):
        digest = write_tiny(tmp_path / "faces.h5")
        study = create_or_resume(storage, "ages", spec_of(*stages, dataset=digest, **settings))
        return study, Settings(study="ages", storage=storage.url, threads=7, data=tmp_path / "faces.h5")

    return create


def test_a_worker_runs_the_study_to_its_end_on_a_device_it_names(study_on, device, no_stop):
    study, settings = study_on(2, 1, threads=3)
    run_worker(settings, no_stop)
    assert len(finished(study)) == 3
    assert [worker.device for worker in list_workers(study)] == ["a processor"]
    assert device == [3]  # the study's, whatever the worker's own settings say


@pytest.mark.usefixtures("device")
def test_a_worker_never_reads_the_test_split(study_on, reads, no_stop):
    _, settings = study_on(1)
    run_worker(settings, no_stop)
    assert reads == ["training", "validation"]


@pytest.mark.usefixtures("device")
def test_a_worker_that_is_stopped_before_it_is_ready_takes_no_trial(study_on, no_stop):
    study, settings = study_on(1)
    no_stop.set()
    run_worker(settings, no_stop)
    assert finished(study) == []


def test_another_dataset_than_the_studys_is_refused_before_a_device_is_set_up(study_on, device, tmp_path, no_stop):
    study, settings = study_on(1)
    other = write_tiny(tmp_path / "other.h5", seed=1)
    digest = study.spec.task.files["data"].digest
    said = rf"other\.h5 has the digest {other[:12]}…, the study 'ages' was made for {digest[:12]}…; give"
    with pytest.raises(SearchError, match=said):
        run_worker(settings.model_copy(update={"data": tmp_path / "other.h5"}), no_stop)
    assert device == []


def test_an_unknown_study_is_refused(study_on, device, no_stop):
    _, settings = study_on(1)
    with pytest.raises(SearchError, match="no study 'none'"):
        run_worker(settings.model_copy(update={"study": "none"}), no_stop)
    assert device == []


def test_a_storage_that_is_not_there_is_refused_and_not_made(tmp_path, no_stop):
    with pytest.raises(SearchError, match="no study storage at"):
        run_worker(Settings(storage=f"sqlite:///{tmp_path}/none.db"), no_stop)
    assert list(tmp_path.iterdir()) == []


def test_a_storage_without_the_study_says_which_it_has(tmp_path, no_stop):
    url = f"sqlite:///{tmp_path}/study.db"
    create_storage(url).engine.dispose()
    with pytest.raises(SearchError, match=r"no study 'age' in .*; it has: none"):
        run_worker(Settings(storage=url), no_stop)
