from types import SimpleNamespace

import pytest

from search.errors import SearchError
from search.settings.settings import Settings
from search.study.trial import Outcome
from search.tasks.program import task as tasks
from search.tasks.program.configuration import read
from search.tasks.program.specifying import spec_of
from search.tasks.program.task import ProgramTask

SPACE = {"x": {"linear": [0, 1]}}
TASK = ProgramTask()


@pytest.fixture
def settings(write):
    """Settings for a program that squares."""
    path = write("serve(lambda trial: trial.params['x'] ** 2)")

    def make(**others):
        return Settings(**{"program": path, "space": SPACE, **others})

    return make


def study_of(settings):
    return SimpleNamespace(name="own", spec=spec_of(settings))


def test_trials_of_a_study_run_while_it_is_open(settings, trial_of):
    with TASK.open(study_of(settings()), settings(), 1.0) as runner:
        assert runner.run(trial_of(0.5)) == Outcome(0.25)
        assert runner.device == "CPU"


def test_a_worker_names_its_gpu(settings, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with TASK.open(study_of(settings()), settings(), 1.0) as runner:
        assert runner.device == "3"


def test_a_worker_with_other_files_is_refused(settings):
    study = study_of(settings())
    with settings().program.open("a") as file:
        file.write("# changed\n")
    with pytest.raises(SearchError, match=r"train\.py has changed"), TASK.open(study, settings(), 1.0):
        pass
    with TASK.open(study, settings(allow_changed=True), 1.0):
        pass


def test_what_no_worker_could_run_is_refused(settings, tmp_path):
    with pytest.raises(SearchError, match=r"none\.py"):
        TASK.require_possible(settings(program=tmp_path / "none.py"))
    with pytest.raises(SearchError, match="python: nowhere"):
        TASK.require_possible(settings(python="nowhere"))
    TASK.require_possible(settings())


def test_a_worker_is_given_the_program_and_the_limits_of_a_trial(settings):
    given = TASK.worker_settings(settings(trial_minutes=2, watch=("a", "b"), allow_changed=True, python="python3"))
    assert given == {
        "program": str(settings().program), "watch": "a,b", "allow_changed": "true", "trial_minutes": "2.0",
        "python": "python3",
    }  # fmt: skip


def test_the_exported_tables_are_what_the_final_fit_reads(settings, tmp_path):
    spec = spec_of(settings(budget={"epochs": 2}, watch=("*.py",), threads=2))
    document = {"hyperparameters": {"x": 0.5}, "trial": {"number": 4}, **TASK.tables(spec)}
    found = read(document, tmp_path / "best.toml")
    assert (found.params, found.budget, found.number) == ({"x": 0.5}, {"epochs": 2}, 4)
    assert (found.origin.path, found.origin.watch, found.origin.threads) == (settings().program, "*.py", 2)


@pytest.mark.parametrize(("visible", "indices"), [(None, [0, 1]), ("1", [0]), ("", [])])
def test_the_gpus_are_those_that_the_driver_names_and_may_be_seen(settings, monkeypatch, tmp_path, visible, indices):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'GPU 0: A'\necho 'GPU 1: B'\n")
    driver.chmod(0o755)
    monkeypatch.setattr(tasks.shutil, "which", lambda _name: str(driver))
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert list(TASK.devices(spec_of(settings())).gpus) == indices


def test_workers_of_many_threads_are_fewer(settings, monkeypatch):
    monkeypatch.setattr(tasks.shutil, "which", lambda _name: None)
    monkeypatch.setattr(tasks.os, "sched_getaffinity", lambda _pid: set(range(8)))
    monkeypatch.setattr(tasks.psutil, "cpu_count", lambda **_: 8)
    assert TASK.devices(spec_of(settings())).on_cpu == 8
    assert TASK.devices(spec_of(settings(threads=3))).on_cpu == 2
