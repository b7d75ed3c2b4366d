import json
import signal
import sys

import pytest
from sqlalchemy.exc import OperationalError

from search.errors import SearchError, SearchFailure
from search.run import launcher
from search.run.launcher import BAD_INPUT, FRUITLESS_DEATHS, Launcher, Place, places, stop_when_untethered
from search.storage.database import Storage
from search.study.claiming import MAX_LOSSES
from search.study.study import Study
from tests.integration.fake_study import spec_of
from tests.waiting import until

URL = "postgresql+psycopg://ada:secret@database/studies"

DESCRIBE = """
import json, os, pathlib, sys
found = {"arguments": sys.argv[1:], "storage": os.environ["AGESEARCH_STORAGE"], "session": os.getsid(0) == os.getpid(),
         "config": os.environ["AGESEARCH_CONFIG"], "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"),
         "artifacts": os.environ.get("AGESEARCH_ARTIFACTS")}
print(json.dumps(found))
"""
WAIT_FOR_THE_LAUNCHER = "import os; os.read(0, 1)"


@pytest.fixture(autouse=True)
def finished(monkeypatch):
    """How many trials each worker has finished when it dies, in a list of one, to be set; None is that of none yet."""
    count = [None]
    monkeypatch.setattr(launcher, "finished_by", lambda _study, _worker: count[0])
    return count


@pytest.fixture
def start(tmp_path):
    """Launch workers that run a small program instead of ours, and leave none of them behind."""
    started = []

    def start_at(program, *where, study="ages", **settings):
        command = (sys.executable, "-S", "-E", "-c", program)
        study = Study(Storage(URL, None, None), study, 1, spec_of(), 0.0)
        one = Launcher(study, settings or {"data": "/faces.h5"}, tmp_path, where or [Place()], command)
        started.append(one)
        one.start()
        return one

    yield start_at
    for one in started:
        one.stop()


def log(tmp_path, number=1):
    return (tmp_path / f"worker-{number}.log").read_text()


def ended(workers):
    """Tend workers until none is at work any more; those here end by themselves, with code 0."""
    until(lambda: not workers.replace_dead(0), "the end of the workers")


@pytest.mark.parametrize(
    ("workers", "gpus", "cores", "expected"),
    [
        (None, [], 2, [None, None]),
        (3, [], 2, [None, None, None]),
        (None, [0, 1], 8, [0, 1]),
        (3, [0, 1], 8, [0, 1, 0]),
        (1, [0, 1], 8, [0]),
    ],
)
def test_workers_are_spread_over_gpus_or_put_on_cores(workers, gpus, cores, expected):
    assert [place.gpu for place in places(workers, gpus, cores)] == expected


@pytest.mark.parametrize(
    ("workers", "per_gpu", "expected"),
    [
        (None, 2, [(0, 0.5), (1, 0.5), (0, 0.5), (1, 0.5)]),
        (3, 1, [(0, 0.5), (1, 1.0), (0, 0.5)]),
        (None, 1, [(0, 1.0), (1, 1.0)]),
    ],
)
def test_workers_on_one_gpu_share_its_memory_equally(workers, per_gpu, expected):
    assert [(place.gpu, place.share) for place in places(workers, [0, 1], 8, per_gpu)] == expected


def test_a_share_of_a_gpu_is_told_on_the_command_line_and_all_of_it_is_not(start, tmp_path):
    ended(start(DESCRIBE, Place(0, 0.5)))
    assert json.loads(log(tmp_path))["arguments"][:2] == ["--gpu-share", "0.500"]
    assert Place(0).flags() == Place().flags() == []


@pytest.mark.parametrize(("visible", "expected"), [("3,5", "5"), ("GPU-a, GPU-b", "GPU-b"), ("", "1")])
def test_a_gpu_is_one_of_those_that_the_launcher_may_use(visible, expected, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert Place(1).environment() == {"CUDA_VISIBLE_DEVICES": expected}


def test_a_worker_gets_the_study_on_its_command_line_and_the_storage_in_its_environment_alone(start, tmp_path):
    ended(start(DESCRIBE, Place(gpu=1)))
    found = json.loads(log(tmp_path))
    assert found["arguments"] == ["--study=ages", "--data=/faces.h5"]
    assert found["storage"] == URL
    assert found["gpu"] == "1"


def test_a_worker_gets_its_tasks_settings_as_flags(start, tmp_path, monkeypatch):
    monkeypatch.delenv("AGESEARCH_ARTIFACTS", raising=False)
    ended(start(DESCRIBE, artifacts="/curves", allow_changed="true"))
    found = json.loads(log(tmp_path))
    assert found["arguments"] == ["--study=ages", "--artifacts=/curves", "--allow-changed"]
    assert found["artifacts"] is None


def test_a_worker_hears_no_variable_that_a_flag_may_have_overruled(start, tmp_path, monkeypatch):
    monkeypatch.setenv("AGESEARCH_ARTIFACTS", "elsewhere")
    ended(start(DESCRIBE))
    assert json.loads(log(tmp_path))["artifacts"] is None


def test_the_last_words_of_an_earlier_worker_are_not_taken_for_a_later_ones(start):
    ended(start("print('an old story')"))
    workers = start(f"raise SystemExit({BAD_INPUT})")
    with pytest.raises(SearchError, match="it said nothing"):
        until(lambda: not workers.replace_dead(0), "the refusal")


def test_a_worker_reads_no_settings_file_and_no_ctrl_c_of_the_terminal(start, tmp_path, monkeypatch):
    monkeypatch.setenv("AGESEARCH_CONFIG", "mine.toml")
    ended(start(DESCRIBE))
    assert json.loads(log(tmp_path))["config"] == "/dev/null"
    assert json.loads(log(tmp_path))["session"]


def test_each_worker_has_a_log_that_goes_on_where_it_ended(start, tmp_path):
    for _ in range(2):
        ended(start("print('here')", Place(), Place()))
    assert [log(tmp_path, number).split() for number in (1, 2)] == [["here", "here"]] * 2


def test_a_dead_worker_is_started_again(start, tmp_path):
    workers = start("import os; print('again', flush=True); os.read(0, 1); os.abort()")
    until(lambda: "again" in log(tmp_path), "the first start")
    workers._workers[0].process.kill()
    until(lambda: workers.replace_dead(0) and log(tmp_path).count("again") == 2, "the second start")


def test_a_worker_that_ended_well_is_not_started_again(start, tmp_path):
    workers = start("print('once')")
    ended(workers)
    assert not workers.replace_dead(0)
    assert log(tmp_path) == "once\n"


def test_workers_that_keep_dying_end_the_search_with_their_last_words(start, tmp_path):
    workers = start("import os, signal; print('out of memory', flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(
        SearchFailure, match=rf"signal 9, SIGKILL: .* memory\); see {tmp_path}/worker-1.log: out of memory"
    ):
        until(lambda: not workers.replace_dead(0), "the refusal")
    assert log(tmp_path).count("out of memory") == FRUITLESS_DEATHS + 1


def test_a_worker_that_has_died_again_before_tending_ends_is_not_taken_for_done(start, monkeypatch):
    workers = start("raise SystemExit(1)")
    spawn = workers._spawn

    def spawn_and_die(worker):
        spawn(worker)
        worker.process.wait()

    workers._workers[0].process.wait()
    monkeypatch.setattr(workers, "_spawn", spawn_and_die)
    assert workers.replace_dead(0)


def test_a_worker_that_finishes_trials_may_die_as_often_as_it_likes(start, finished):
    finished[0] = 1
    workers = start("raise SystemExit(1)")
    for _ in range(FRUITLESS_DEATHS * 3):
        workers._workers[0].process.wait()
        assert workers.replace_dead(0)


def test_workers_that_die_with_a_slot_are_started_again_until_it_can_be_closed(start, tmp_path, finished):
    finished[0] = 0
    workers = start("print('here'); raise SystemExit(1)")
    with pytest.raises(SearchFailure, match="the workers cannot work"):
        until(lambda: not workers.replace_dead(0), "the end")
    assert log(tmp_path).count("here") == MAX_LOSSES + 1


DIE_ON_THE_SECOND_GPU = """
import os
if os.environ["CUDA_VISIBLE_DEVICES"] == "1":
    raise SystemExit("the GPU has fallen off the bus")
os.read(0, 1)
"""


def test_a_place_that_kills_its_workers_is_given_up_and_the_others_go_on(start, tmp_path, caplog, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    workers = start(DIE_ON_THE_SECOND_GPU, Place(0), Place(1))
    until(lambda: workers.replace_dead(0) and len(caplog.records) > 1, "the end of the second")
    first, warning = caplog.messages
    assert first.endswith("worker-2.log died (exit code 1: the GPU has fallen off the bus) and is started again")
    assert warning.endswith(f"(exit code 1); see {tmp_path}/worker-2.log: the GPU has fallen off the bus")
    assert log(tmp_path, 2).count("fallen") == FRUITLESS_DEATHS + 1
    assert workers.replace_dead(0)
    assert log(tmp_path, 1) == ""


def test_a_death_counts_where_the_storage_does_not_say_what_the_worker_had_done(start, monkeypatch):
    def failing(*_):
        raise OperationalError("select", None, Exception("locked"))

    monkeypatch.setattr(launcher, "finished_by", failing)
    workers = start("raise SystemExit(1)")
    with pytest.raises(SearchFailure, match="the workers cannot work"):
        until(lambda: not workers.replace_dead(0), "the end")


def test_a_worker_that_was_given_something_useless_is_not_started_again(start, tmp_path):
    workers = start(f"print('no such study'); raise SystemExit({BAD_INPUT})")
    with pytest.raises(SearchError, match=r"cannot work \(exit code 2\).*: no such study"):
        until(lambda: not workers.replace_dead(0), "the refusal")
    assert log(tmp_path) == "no such study\n"


def test_a_worker_that_dies_without_a_word_is_told_so(start):
    workers = start(f"raise SystemExit({BAD_INPUT})")
    with pytest.raises(SearchError, match="it said nothing"):
        until(lambda: not workers.replace_dead(0), "the refusal")


def test_stopping_lets_workers_end_in_their_own_way(start, tmp_path):
    end = "def end(*_): print('given back', flush=True); raise SystemExit"
    ready = "print('ready', flush=True); signal.pause()"
    workers = start(f"import signal\n{end}\nsignal.signal(signal.SIGTERM, end)\n{ready}", Place(), Place())
    until(lambda: all("ready" in log(tmp_path, number) for number in (1, 2)), "both workers")
    workers.stop()
    assert [log(tmp_path, number).split("\n")[1] for number in (1, 2)] == ["given back"] * 2
    assert [worker.process.returncode for worker in workers._workers] == [0, 0]


def test_stopping_kills_a_worker_that_does_not_end_in_time(start, tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "STOP_SECONDS", 0.05)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    workers = start(deaf)
    until(lambda: "deaf" in log(tmp_path), "the worker")
    workers.stop()
    assert workers._workers[0].process.returncode == -signal.SIGKILL


def test_a_worker_notices_when_the_pipe_of_its_launcher_closes(start):
    workers = start(WAIT_FOR_THE_LAUNCHER)
    assert workers.replace_dead(0)
    workers._workers[0].process.stdin.close()  # as it is when a launcher dies, whatever it dies of
    ended(workers)


def test_the_pipe_of_a_dead_worker_is_closed(start):
    workers = start("raise SystemExit(1)")
    dead = workers._workers[0].process
    dead.wait()
    workers.replace_dead(0)
    assert dead.stdin.closed


def test_the_end_of_the_launcher_sets_the_event(monkeypatch, no_stop):
    pieces = iter([b"something", b""])
    monkeypatch.setattr(launcher.os, "read", lambda _descriptor, _count: next(pieces))
    stop_when_untethered(no_stop)
    assert no_stop.is_set()


def test_each_worker_that_is_killed_is_reported(start, tmp_path, caplog):
    killed = start("import os, signal; print('at epoch 3', flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    until(lambda: killed.replace_dead(0) and len(caplog.records) == 2, "two deaths")
    for warning in caplog.messages:
        assert warning.startswith(f"the worker of {tmp_path}/worker-1.log died (signal 9, SIGKILL: ")
        assert warning.endswith(": at epoch 3) and is started again")
        assert "memory" in warning
