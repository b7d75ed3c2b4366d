"""A search on a Ray cluster of two nodes, both on this machine."""

from functools import partial
from pathlib import Path

import pytest

from search.errors import SearchError
from search.run.ray_workers import RayWorkers
from search.settings.settings import Settings
from search.study.slots import SlotCounts, Slots
from search.study.workers import list_workers
from tests.integration import fake_ray
from tests.integration.exactness import assert_exact, takeovers
from tests.waiting import until as until_within

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # of Ray's own
    pytest.mark.timeout(600),  # a busy machine takes half a minute to start a process of Ray's
]

until = partial(until_within, seconds=280, pause=0.2)
LOOPBACK = "127.0.0.2"  # Ray takes 127.0.0.1 for a name of the machine's address on the network
CLOUDLESS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "0"}
PATIENT = {"RAY_gcs_server_port_wait_time_s": "240", "RAY_worker_register_timeout_seconds": "240"}
BARE = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}  # each a process to start
only_postgresql = pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)


@pytest.fixture(scope="module")
def cluster():
    """A cluster with one CPU for the head, to which a test may add nodes."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        for key, value in (CLOUDLESS | PATIENT | {"PYTHONPATH": str(Path(__file__).parents[2])}).items():
            patch.setenv(key, value)
        head = {"num_cpus": 1, "node_ip_address": LOOPBACK, **BARE}
        made = Cluster(initialize_head=True, head_node_args=head)
        patch.setenv("RAY_ADDRESS", made.address)
        yield made
        made.shutdown()


@pytest.fixture
def add_node(cluster):
    """Add a node to the cluster, which is removed after the test; the answer removes it at once."""
    nodes = []

    def add():
        nodes.append(cluster.add_node(wait=False, num_cpus=1, node_ip_address=LOOPBACK))
        cluster.wait_for_nodes(timeout=280)
        return lambda: cluster.remove_node(nodes.pop(), allow_graceful=False)

    yield add
    for node in nodes:
        cluster.remove_node(node, allow_graceful=False)


@pytest.fixture
def workers_on(add_node, tmp_path):  # noqa: ARG001 - they leave the cluster before its nodes do
    """Put workers of a study on the cluster, and leave none of them behind."""
    started = []

    def put(study, job, **settings):
        chosen = Settings.model_validate({"on": "ray", **settings})
        team = RayWorkers(chosen, study, {"data": str(tmp_path / "faces.h5")}, 1, job)
        started.append(team)
        team.start()
        return team

    yield put
    for team in started:
        team.stop()


@pytest.fixture
def gates(tmp_path):
    return fake_ray.gates(tmp_path / "faces.h5")


def closed(study):
    return sum(Slots(study).counts(stage).finished for stage in range(1, len(study.spec.trials) + 1))


def states(study):
    return [view.state for view in list_workers(study)]


@only_postgresql
def test_a_search_on_two_nodes_is_exact_though_one_is_removed_half_way(add_node, study_of, workers_on, gates):
    study = study_of(12, 4)
    team = workers_on(study, fake_ray.serve, workers=2)
    remove = add_node()  # where the second worker finds the room it has been waiting for
    until(lambda: team.replace_dead(0) and Slots(study).counts(1).claimed == 2, "a trial on each node")
    gates[0].touch()
    until(lambda: team.replace_dead(0) and Slots(study).counts(1) == SlotCounts(4, 2, fake_ray.FIRST, 0), "half of it")
    remove()
    until(lambda: "dead" in states(study), "the death of the worker on it")  # Ray takes its time
    gates[1].touch()
    until(lambda: not team.replace_dead(closed(study)), "the end of the search")
    assert_exact(study)
    assert takeovers(study) == 1


@only_postgresql
def test_a_worker_that_is_stopped_gives_its_slot_back(study_of, workers_on):
    study = study_of(3)
    team = workers_on(study, fake_ray.serve)
    until(lambda: Slots(study).counts(1).claimed == 1, "a trial")
    team.stop()
    assert Slots(study).counts(1).waiting == 3
    assert states(study) == ["stopped"]


@only_postgresql
def test_workers_that_cannot_work_end_the_search_with_the_reason(study_of, workers_on):
    team = workers_on(study_of(2), fake_ray.refuse)
    with pytest.raises(SearchError, match=r"the workers on Ray cannot work: no dataset at .*faces\.h5"):
        until(lambda: not team.replace_dead(0), "the refusal")


@only_postgresql
def test_workers_that_no_node_has_room_for_are_refused(study_of, workers_on):
    with pytest.raises(SearchError, match="no node of the Ray cluster has the 1 CPU and 1 GPU that a worker needs"):
        workers_on(study_of(2), fake_ray.serve, gpus_per_worker=1)


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_a_file_as_storage_is_refused_on_two_nodes(add_node, study_of, workers_on):
    add_node()
    with pytest.raises(SearchError, match=r"is a file of one machine.*use PostgreSQL.*'agesearch move'"):
        workers_on(study_of(2), fake_ray.serve)
