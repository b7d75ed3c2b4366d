import signal
import socket
import sys
from types import SimpleNamespace

import pytest

from search.errors import SearchError, SearchFailure
from search.run.launcher import FRUITLESS_DEATHS
from search.run.ray_workers import Need, Order, RayWorkers
from search.settings.settings import Settings
from search.settings.sources import load_settings
from search.storage.database import Storage
from search.study.study import Study
from tests.integration.fake_study import spec_of

OWN = {"data": "/faces.h5"}
URL = "postgresql+psycopg://ada:secret@database/studies"


class RayError(Exception):
    """As Ray names its own."""


class RayTaskError(RayError):
    """What a task raised."""

    def __init__(self, cause):
        super().__init__("a long traceback")
        self.cause = cause


class FakeRay:
    """A cluster whose tasks end as the test has it: a task is a list, with how it ended in it."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self):
        self.machines = [{"Alive": True, "NodeManagerHostname": "one", "Resources": {"CPU": 4.0, "GPU": 2.0}}]
        self.tasks, self.cancelled, self.needs, self.connected = [], [], None, False
        self.refusal = None

    def init(self, address, **_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as the real one puts a handler of its own
        if self.refusal:
            raise self.refusal
        self.address, self.connected = address, True

    def shutdown(self):
        self.connected = False

    def nodes(self):
        return self.machines

    def remote(self, **needs):
        self.needs = needs

        def submit(order):
            self.tasks.append([])
            self.order = order
            return self.tasks[-1]

        return lambda _job: SimpleNamespace(options=lambda **_: SimpleNamespace(remote=submit))

    def wait(self, tasks, num_returns, timeout):  # noqa: ARG002
        return [task for task in tasks if task], [task for task in tasks if not task]

    def get(self, task):
        if isinstance(task[0], Exception):
            raise task[0]

    def cancel(self, _task, force=False):
        self.cancelled.append(force)


@pytest.fixture
def ray(monkeypatch):
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    before = signal.getsignal(signal.SIGTERM)
    yield fake
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def team():
    """Workers for a study that is nowhere, on the fake cluster."""
    started = []

    def start(url=URL, spec=None, cpus=1, **settings):
        study = Study(Storage(url, None, None), "ages", 1, spec or spec_of(), 0.0)
        started.append(RayWorkers(Settings.model_validate({"on": "ray", **settings}), study, OWN, cpus, print))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.parametrize(
    ("need", "resources", "room"),
    [
        (Need(1, 0), {"CPU": 4}, 4),
        (Need(3, 0), {"CPU": 4}, 1),
        (Need(1, 1), {"CPU": 4}, 0),
        (Need(1, 2), {"CPU": 4, "GPU": 5}, 2),
        (Need(1, 0.5), {"CPU": 8, "GPU": 2}, 4),
        (Need(1, 0.4), {"CPU": 8, "GPU": 2}, 4),
        (Need(1, 1 / 3), {"CPU": 8, "GPU": 1}, 3),
        (Need(1, 0.25), {}, 0),
    ],
)
def test_a_node_has_room_for_as_many_workers_as_its_cpus_and_its_gpus_one_by_one_allow(need, resources, room):
    assert need.room(resources) == room


@pytest.mark.parametrize(
    ("settings", "workers", "gpus", "share"),
    [
        ({}, 2, 1.0, 1.0),
        ({"per_gpu": 2}, 4, 0.5, 0.5),
        ({"gpus_per_worker": 0}, 4, 0.0, 1.0),
        ({"gpus_per_worker": 2.0}, 1, 2.0, 1.0),
        ({"workers": 7}, 7, 1.0, 1.0),
    ],
)
def test_workers_fill_the_cluster_unless_their_number_is_given(settings, workers, gpus, share, ray, team):
    team(**settings)
    assert len(ray.tasks) == workers
    assert (ray.needs["num_cpus"], ray.needs["num_gpus"]) == (1, gpus)
    assert ray.order == Order(URL, "ages", OWN, share)


def test_a_worker_takes_as_many_cpus_as_the_study_gives_it_threads(ray, team):
    team(cpus=2, gpus_per_worker=0)
    assert (len(ray.tasks), ray.needs["num_cpus"]) == (2, 2)


def test_what_a_worker_is_told_does_not_show_the_password():
    assert "secret" not in repr(Order(URL, "ages", OWN, 1.0))


def test_the_cluster_is_the_one_here_or_the_one_named(ray, team):
    team(on="ray")
    assert ray.address == "auto"
    with socket.create_server(("127.0.0.1", 0)) as head:
        named = f"ray://127.0.0.1:{head.getsockname()[1]}"
        team(on=named)
    assert ray.address == named


@pytest.mark.parametrize("variable", [True, False])
def test_a_cluster_whose_head_does_not_answer_is_refused_at_once(variable, team, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        head = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", head)
    with pytest.raises(SearchError, match=r"reaches no Ray cluster: .*refused; start one with 'ray start --head'"):
        team(on="ray" if variable else f"ray://{head}")


@pytest.mark.parametrize("on", ["Ray", "ray://", "ray://a/b", "there", "kubernetes"])
def test_any_other_place_is_refused(on):
    with pytest.raises(SearchError, match="--on: on is"):
        load_settings(None, {"on": on})


def test_results_are_kept_apart_from_what_ray_prints(ray, team, capsys):
    one = team()
    print("(raylet) a node died")  # noqa: T201
    one.stop()
    print("the result")  # noqa: T201
    assert capsys.readouterr() == ("the result\n", "(raylet) a node died\n")
    assert not ray.connected


def test_a_worker_that_ray_gave_up_is_reported_and_started_again(ray, team, caplog):
    one = team(workers=2)
    ray.tasks[0].append(RayError("node died"))
    assert one.replace_dead(0)
    assert len(ray.tasks) == 3
    assert caplog.messages == ["a worker on Ray died (RayError: node died) and is started again"]


def test_workers_that_end_because_all_is_done_are_not_started_again(ray, team):
    one = team(workers=2)
    for task in ray.tasks:
        assert one.replace_dead(0)
        task.append(None)
    assert not one.replace_dead(2)
    assert len(ray.tasks) == 2


def test_workers_that_keep_dying_end_the_search_and_a_finished_trial_lets_them_die_as_often_again(ray, team):
    one = team(workers=1)
    for closed in (0, 1):
        for _ in range(FRUITLESS_DEATHS):
            ray.tasks[-1].append(RayError("node died"))
            one.replace_dead(closed)
    ray.tasks[-1].append(RayError("node died\nsomewhere"))
    with pytest.raises(SearchFailure, match=r"the workers on Ray cannot work: node died$"):
        one.replace_dead(1)


def test_a_worker_that_was_given_something_useless_is_not_started_again(ray, team):
    one = team(workers=2)
    ray.tasks[1].append(RayTaskError(SearchError("no such dataset")))
    with pytest.raises(SearchError, match="cannot work: no such dataset"):
        one.replace_dead(0)


def test_a_storage_that_failed_for_a_moment_does_not_end_the_search(ray, team):
    one = team(workers=1)
    ray.tasks[0].append(RayTaskError(SearchFailure("the storage cannot be used")))
    assert one.replace_dead(0)
    assert len(ray.tasks) == 2


def test_workers_that_do_not_stop_in_time_are_ended(ray, team):
    one = team(workers=2)
    for _ in range(2):
        one.stop()
    assert ray.cancelled == [False, False, True, True]


def test_a_file_is_no_storage_for_a_cluster_elsewhere(ray, team, tmp_path):
    with pytest.raises(SearchError, match=r"a file of one machine.*use PostgreSQL.*'agesearch move'"):
        team(url=f"sqlite:///{tmp_path}/study.db")
    assert ray.tasks == []


@pytest.mark.usefixtures("ray")
def test_a_cluster_without_room_for_one_worker_is_refused_with_what_it_has(team):
    with pytest.raises(SearchError, match=r"has the 1 CPU and 3 GPU that a worker needs; it has 4 CPU and 2 GPU: give"):
        team(gpus_per_worker=3.0)


def test_without_a_cluster_it_is_said_how_to_start_one(ray, team):
    ray.refusal = ConnectionError("could not find any running Ray instance\nmore")
    with pytest.raises(SearchError, match=r"reaches no Ray cluster: could not find any running Ray instance; start"):
        team()


def test_without_ray_it_is_said_how_to_install_it(monkeypatch, team):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SearchError, match=r"needs Ray, which is not installed: pip install 'agesearch\[ray\]'"):
        team()
