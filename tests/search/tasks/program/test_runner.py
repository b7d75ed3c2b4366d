"""A worker's runner: what it refuses, and what thousands of trials cost and leave."""

import gc
import os
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from search.errors import SearchError
from search.study.trial import Outcome
from search.tasks.program.program import Program
from search.tasks.program.runner import ProgramRunner

TRIALS = 2000


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with (
        pytest.raises(SearchError, match="nowhere does not exist"),
        ProgramRunner(Program(command="sh {x}", folder=tmp_path / "nowhere")),
    ):
        pass


def test_a_program_that_is_not_there_is_refused(runner_of):
    with pytest.raises(SearchError, match=r"nowhere\.py is not a file"), runner_of(Path("nowhere.py")):
        pass


def test_a_program_that_has_changed_since_is_refused(write, runner_of):
    path = write("serve(lambda trial: 1)")
    with pytest.raises(SearchError, match=r"train\.py has changed"), runner_of(path, expected={"train.py": "0" * 64}):
        pass


def test_a_program_that_changes_meanwhile_is_refused_before_it_is_started_again(write, runner_of, trial_of):
    path = write("serve(lambda trial: trial.params['x'] or sys.exit(1))")
    with runner_of(path) as run:
        run(trial_of(1))
        write("serve(lambda trial: 99)")
        assert run(trial_of(2)) == Outcome(2.0)  # by the process that is kept
        with pytest.raises(Exception, match="exit code 1"):
            run(trial_of(0))
        with pytest.raises(SearchError, match=r"train\.py has changed"):
            run(trial_of(1))


def test_a_trial_that_is_interrupted_leaves_no_process(write, runner_of, trial_of):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = psutil.Process().children()  # a server of other tests
    with runner_of(write("serve(lambda trial: trial.report(1, 0) or time.sleep(3600))")) as run:
        with pytest.raises(KeyboardInterrupt):
            run(trial_of(report=interrupt))
        assert psutil.Process().children() == before


def resources(process):
    """Open files, processes, and MiB of memory."""
    gc.collect()
    children = process.children(recursive=True)
    memory = sum(one.memory_full_info().uss for one in [process, *children]) / 2**20
    return sum(one.num_fds() for one in [process, *children]), len(children), memory


def test_thousands_of_trials_leak_nothing_and_cost_next_to_nothing(
    write, runner_of, trial_of, tell, tmp_path, monkeypatch
):
    path = write("serve(lambda trial: trial.report(1, 0) or trial.should_prune() or trial.suggest_float('x', 0, 1))")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    this = psutil.Process()
    with runner_of(path) as run:
        for _ in range(200):
            run(trial_of())
        before, begun = resources(this), time.perf_counter()
        for _ in range(TRIALS):
            run(trial_of())
        each, after = (time.perf_counter() - begun) / TRIALS, resources(this)
    tell(f"a trial of a kept program costs {1000 * each:.2f} ms outside of its objective")
    assert after[:2] == before[:2]
    assert after[2] - before[2] < 4
    assert each < 0.005
    assert not list(tmp_path.glob("agesearch-trial-*"))


def test_processes_that_are_started_again_and_again_leave_no_file_open(write, runner_of, trial_of):
    with runner_of(write("serve(lambda trial: os._exit(1))")) as run, runner_of(command="sh -c 'echo {x}'") as command:
        opened = []
        for _ in range(5):
            with pytest.raises(Exception, match="exit code 1"):
                run(trial_of())
            command(trial_of())
            opened.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208
    assert len(set(opened)) == 1
