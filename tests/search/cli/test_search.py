import json
import signal
from threading import Event

import pytest

from search.errors import SearchFailure
from search.run.launcher import Place
from search.storage.database import open_storage
from search.study.study import load_study
from search.study.trial import Diverged
from search.tasks import working
from search.tasks.images import task as images
from search.tasks.images.baseline import median_error
from tests.integration.fake_study import run_trial
from tests.outcomes import outcome_of

SEARCH = ("search", "--data", "faces.h5", "--images", "6", "--precision", "float32", "--finalists", "0")


@pytest.fixture(autouse=True)
def small(launcher, monkeypatch):  # noqa: ARG001 - workers that take no time
    """A machine of one core."""
    monkeypatch.setattr(images, "machine", lambda: {"gpus": [], "cores": 1, "precision": "float32"})


@pytest.fixture
def study(faces):
    """The study that `SEARCH` makes, once it is there."""
    return lambda: load_study(open_storage(f"sqlite:///{faces.parent}/runs/study.db"), "age")


@pytest.mark.usefixtures("faces")
def test_a_search_ends_with_its_trials_and_prints_the_best_of_them(agesearch, launcher):
    ended = agesearch(*SEARCH, "--trials", "4,3")
    assert ended.code == 0
    assert launcher.last.places == (Place(),)
    lines = ended.out.splitlines()
    assert lines[0].startswith("study age in sqlite:///runs/study.db: best single trial 1")
    assert lines[1].startswith("stage 1: 4/4 finished; ")
    assert lines[2].startswith("stage 2: 3/3 finished; ")
    assert lines[4].split()[:2] == ["trial", "stage"]
    assert len(lines) == 10


@pytest.mark.usefixtures("faces")
def test_workers_may_share_a_gpu(agesearch, launcher, monkeypatch):
    monkeypatch.setattr(images, "machine", lambda: {"gpus": [0], "cores": 1, "precision": "float32"})
    assert agesearch(*SEARCH, "--trials", "2", "--per-gpu", "2").code == 0
    assert [place.gpu for place in launcher.last.places] == [0, 0]


@pytest.mark.usefixtures("faces")
def test_the_finalists_and_the_verdict_are_printed_after_the_best_trials(agesearch):
    ended = agesearch(*SEARCH[:-1], "2", "--finalist-repeats", "2", "--trials", "4,3")
    lines = ended.out.splitlines()
    assert [line.split(";")[0] for line in lines[1:4]] == [
        "stage 1: 4/4 finished",
        "stage 2: 3/3 finished",
        "finalists: 4/4 finished",
    ]
    assert len(lines) == 10 + 1 + 5
    assert lines[12].split()[:3] == ["finalist", "of", "trial"]
    chosen = lines[13].split()[0]
    assert lines[15].startswith(f"chosen: trial {chosen}, which has the best mean over the same seeds for all; ")
    assert "finalists: 4/4, best 1" in ended.err
    assert "\n".join(lines[11:]) in agesearch("status", "--storage", "sqlite:///runs/study.db").out


@pytest.mark.usefixtures("faces")
def test_progress_and_the_narrowing_with_its_reasons_are_told_on_stderr(agesearch):
    said = agesearch(*SEARCH, "--trials", "4,3").err
    assert "stage 1: 1/4, best 1" in said
    assert "stage 2: 3/3, best 1" in said
    for part in ("narrowed for stage 2", "from   learning_rate [1e-06, 0.001]", "rule   ", "reason the 2 best of 4"):
        assert said.count(part) == 1


@pytest.mark.usefixtures("faces")
def test_searching_again_tells_no_narrowing_again_and_adds_nothing(agesearch):
    first = agesearch(*SEARCH, "--trials", "4,3")
    again = agesearch(*SEARCH, "--trials", "4,3")
    assert (again.code, again.out, again.err) == (0, first.out, "next: agesearch export --out best.toml\n")


@pytest.mark.parametrize(("error", "warned"), [(10.0, False), (40.0, True)])
def test_what_always_answering_the_median_scores_is_told_and_a_search_that_is_no_better_is_warned_of(
    error, warned, agesearch, faces, launcher, monkeypatch
):
    outcome = outcome_of(error, error, 1.0, 0.5)
    monkeypatch.setattr(launcher, "run_trial", staticmethod(lambda _trial: outcome))
    ended = agesearch(*SEARCH, "--trials", "2")
    assert ended.code == 0
    heading = f"best single trial {error:.3f} years; always answering the median scores {median_error(faces):.3f} years"
    assert ended.out.splitlines()[0].endswith(heading)
    assert ("nothing was learnt: the best single trial scores 40.000 years, " in ended.err) is warned


def test_the_result_is_json_where_that_is_asked_for(agesearch, faces):
    ended = agesearch(*SEARCH, "--trials", "4,3", "--json")
    found = json.loads(ended.out)
    assert found["baseline"]["score"] == median_error(faces)
    assert [stage["counts"]["finished"] for stage in found["stages"]] == [4, 3]
    assert [trial["score"] for trial in found["top"]] == sorted(trial["score"] for trial in found["top"])
    assert (found["best"], len(found["top"]), found["done"]) == (found["top"][0], 5, True)


@pytest.mark.usefixtures("faces")
def test_a_search_that_is_stopped_prints_how_far_it_came_and_exits_130(agesearch, launcher, monkeypatch):
    def stop(trial):
        signal.raise_signal(signal.SIGINT)
        return run_trial(trial)

    monkeypatch.setattr(launcher, "run_trial", staticmethod(stop))
    ended = agesearch(*SEARCH, "--trials", "4,3")
    assert ended.code == 130
    assert "stage 1: 1/4 finished; " in ended.out
    assert "Traceback" not in ended.err
    last = "interrupted: the running trials were handed back, and the same command goes on from here"
    assert ended.err.splitlines()[-1] == last


@pytest.mark.usefixtures("faces")
def test_a_search_that_has_ended_says_how_to_take_its_best_along_from_where_it_is(agesearch):
    place = ("--study", "my faces", "--storage", "sqlite:///there.db")
    last = agesearch(*SEARCH, "--trials", "2", *place).err.splitlines()[-1]
    assert last == "next: agesearch export --study 'my faces' --storage sqlite:///there.db --out best.toml"


@pytest.mark.usefixtures("faces")
def test_a_slot_that_was_closed_as_failed_is_told_with_its_reason(agesearch, launcher, monkeypatch):
    def fail_at_zero(trial):
        if trial.slot == 0:
            raise OSError("no memory")
        return run_trial(trial)

    monkeypatch.setattr(launcher, "run_trial", staticmethod(fail_at_zero))
    ended = agesearch(*SEARCH, "--trials", "2")
    reason = "3 attempts failed, the last one with OSError: no memory"
    assert ended.code == 0
    assert f"stage 1, slot 0 was closed as failed: {reason}" in ended.out
    for command in (SEARCH, ("init", *SEARCH[1:])):
        found = json.loads(agesearch(*command, "--trials", "2", "--json").out)
        assert found["failed"] == [{"stage": 1, "slot": 0, "reason": reason}]


@pytest.mark.usefixtures("faces")
def test_a_search_that_has_nothing_to_show_for_it_is_a_failure(agesearch, launcher, monkeypatch):
    monkeypatch.setattr(launcher, "run_trial", staticmethod(lambda _trial: Diverged("the loss is nan")))
    ended = agesearch(*SEARCH, "--trials", "2")
    assert ended.code == 1
    assert "stage 1: 2/2 finished (2 diverged); " in ended.out
    assert "has no finished trial with a value: all of them diverged or failed, see above" in ended.err


@pytest.mark.usefixtures("faces")
def test_a_search_is_resumed_by_its_name_alone(agesearch, study):
    agesearch(*SEARCH, "--trials", "2", "--seed", "4", "--learning-rate", "1e-5:1e-4")
    before = study().spec
    bare = [each for each in SEARCH if each not in ("--images", "6")]
    ended = agesearch(*bare)
    assert (ended.code, study().spec) == (0, before)


@pytest.mark.usefixtures("faces")
def test_other_settings_are_refused_with_the_difference(agesearch, refused):
    agesearch(*SEARCH, "--trials", "2")
    assert "seed = 0, you asked for seed = 1" in refused(*SEARCH, "--trials", "2", "--seed", "1")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--images", "7"), "images is 7, but faces.h5 has 6 training images; give --images 6 or fewer"),
        (("--out", "faces.h5"), "cannot write faces.h5/logs/age/worker-1.log"),
        (("--storage", "sqlite://"), "is not a file that workers can share"),
        (("--trials", "0"), "--trials: trials is '0': input should be greater than 0"),
    ],
)
@pytest.mark.parametrize("command", ["init", "search"])
def test_what_can_never_work_is_refused_and_leaves_nothing(command, flags, said, faces, refused):
    assert said in refused(command, *SEARCH[1:], *flags)
    assert list(faces.parent.iterdir()) == [faces]


INIT = ("init", *SEARCH[1:], "--trials", "4,3")


def test_a_study_is_created_without_a_worker_and_its_standing_printed(agesearch, study, monkeypatch):
    monkeypatch.delattr(working, "Launcher")
    ended = agesearch(*INIT)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("study age in sqlite:///runs/study.db: ")
    assert lines[1].startswith("stage 1: 0/4 finished; ")
    assert study().spec.trials == (4, 3)


@pytest.mark.usefixtures("faces")
def test_a_study_that_was_created_before_is_what_a_search_resumes(agesearch):
    assert json.loads(agesearch(*INIT, "--json").out)["best"] is None
    assert agesearch(*SEARCH, "--trials", "4,3").code == 0
    again = json.loads(agesearch(*INIT, "--json").out)
    assert [stage["counts"]["finished"] for stage in again["stages"]] == [4, 3]


def test_a_study_is_not_created_anew_with_other_settings(agesearch, refused, study):
    agesearch(*INIT)
    assert "trials = 4,3, you asked for trials = 4" in refused(*INIT, "--trials", "4")
    assert study().spec.trials == (4, 3)


@pytest.fixture
def worker(monkeypatch):
    """Workers in this process; they keep what they were given."""
    given = []

    def run_worker(settings, stop, gpu_share):
        given.append((settings, stop, gpu_share))
        for act in given.acts:
            act(stop)

    class Given(list):
        acts = ()

    given = Given()
    monkeypatch.setattr("search.tasks.working.run_worker", run_worker)
    return given


def test_a_worker_is_given_the_study_the_storage_and_the_dataset(agesearch, worker, faces):
    ended = agesearch("worker", "--study", "s", "--storage", "sqlite:///x.db", "--data", faces)
    assert (ended.code, ended.out) == (0, "")
    settings, stop, gpu_share = worker[0]
    assert (settings.study, settings.storage, settings.data) == ("s", "sqlite:///x.db", faces)
    assert not stop.is_set()
    assert gpu_share == 1


def test_a_worker_may_be_held_to_a_share_of_a_gpu_and_to_no_impossible_one(agesearch, worker, refused, faces):
    assert agesearch("worker", "--data", faces, "--gpu-share", "0.25").code == 0
    assert worker[0][2] == 0.25
    assert "gpu-share" in refused("worker", "--data", faces, "--gpu-share", "1.5")


@pytest.mark.parametrize("tethered", [(), ("--tethered",)], ids=["by itself", "a launcher's"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_is_stopped_exits_130(end, tethered, agesearch, worker, faces, monkeypatch):
    launcher_ends = Event()
    monkeypatch.setattr("search.run.launcher.os.read", lambda *_: launcher_ends.wait() and b"")
    worker.acts = (lambda _stop: signal.raise_signal(end),)
    assert agesearch("worker", "--data", faces, *tethered).code == 130
    launcher_ends.set()


def test_a_launchers_worker_stops_with_the_launcher(agesearch, worker, faces, monkeypatch):
    monkeypatch.setattr("search.run.launcher.os.read", lambda *_: b"")
    worker.acts = (lambda stop: stop.wait(60),)
    assert agesearch("worker", "--data", faces, "--tethered").code == 130
    assert worker[0][1].is_set()


def test_a_worker_that_is_stopped_while_the_storage_is_away_exits_130_too(agesearch, faces, monkeypatch):
    def stop_and_fail(*_):
        signal.raise_signal(signal.SIGTERM)
        raise SearchFailure("the storage cannot be used: connection refused")

    monkeypatch.setattr("search.tasks.working.run_worker", stop_and_fail)
    assert agesearch("worker", "--data", faces).code == 130


@pytest.mark.usefixtures("faces")
def test_a_search_that_is_stopped_while_the_storage_is_away_exits_130_too(agesearch, monkeypatch):
    def away(*_):
        raise SearchFailure("the storage cannot be used: connection refused")

    def stop_and_lose_it(*_):
        monkeypatch.setattr("search.cli.search.study_of", away)
        return False

    monkeypatch.setattr(working, "launch", stop_and_lose_it)
    assert agesearch(*SEARCH, "--trials", "2").code == 130


def test_a_worker_without_a_study_is_refused(refused, faces):
    said = refused("worker", "--data", faces, "--storage", f"sqlite:///{faces.parent}/none.db")
    assert "no study storage at" in said
