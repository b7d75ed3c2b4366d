import signal
import subprocess
from itertools import count

import pytest
from optuna.study import StudyDirection
from sqlalchemy.exc import OperationalError

from data.errors import DatasetError
from model.errors import ModelError
from search.errors import SearchError, SearchFailure
from search.report.preparing import prepare_experiment
from search.run import searching
from search.run.launcher import Place
from search.run.progress import study_progress
from search.settings.settings import Settings
from search.space.box import Box
from search.space.ranges import Choices, LogRange
from search.storage.database import create_storage, open_storage
from search.study.slots import Slots
from search.study.variants import Experiment
from search.tasks.images import task as images
from search.tasks.images.network_file import read_network
from search.tasks.images.parameters import FIRST_BOX
from search.tasks.images.task import machine
from search.tasks.working import launch_workers, prepare_study
from tests.integration.fake_study import finalist_budget, finished, variant
from tests.search.tiny import work_off, work_some, write_tiny

DEVICES = {"gpus": [], "cores": 2, "precision": "bfloat16"}


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "faces.h5"
    write_tiny(path)
    return path


@pytest.fixture
def settings(tmp_path, dataset):
    """Settings for a study in a folder of its own, on six training images."""

    def create(**others):
        base = {
            "storage": f"sqlite:///{tmp_path}/study.db",
            "out": tmp_path / "runs",
            "precision": "float32",
            "data": dataset,
        }
        return Settings(**{**base, "images": 6, "trials": (2, 1), "finalists": 0, **others})

    return create


@pytest.fixture
def asked(monkeypatch):
    """A machine that answers at once; the list grows with every question."""
    questions = []
    monkeypatch.setattr(images, "machine", lambda: questions.append("devices") or DEVICES)
    return questions


def test_the_study_is_what_the_settings_say(settings):
    ranges = {"learning_rate": (1e-5, 1e-4), "l2": (1e-3, 1e-2)}
    chosen = settings(seed=3, l2=(1e-4, 1.0), ranges=ranges, recipe="paper", epochs=2, batch_size=3, max_attempts=4)
    spec = prepare_study(chosen).spec
    assert (spec.seed, spec.trials, spec.max_attempts) == (3, (2, 1), 4)
    assert spec.budget == {"images": 6, "epochs": 2}
    own = {"recipe": "paper", "precision": "float32", "threads": 1, "batch_size": 3, "pruning_images": 125}
    assert spec.task.settings == own
    assert spec.box == Box((LogRange("learning_rate", 1e-6, 1e-3), LogRange("l2", 1e-4, 1.0)))
    assert spec.ranges == Box((LogRange("learning_rate", 1e-5, 1e-4), LogRange("l2", 1e-3, 1e-2)))


def test_finalists_have_the_budget_of_a_trial_unless_they_are_given_another(settings):
    assert prepare_study(settings()).spec.finalists is None
    chosen = settings(study="plain", finalists=5, images=4, epochs=2)
    assert prepare_study(chosen).spec.finalists == finalist_budget(5, 3, 4, 2)
    chosen = settings(study="longer", finalists=2, finalist_repeats=4, finalist_images=6, finalist_epochs=9)
    assert prepare_study(chosen).spec.finalists == finalist_budget(2, 4, 6, 9)


def test_the_same_settings_resume_the_study(settings):
    first = prepare_study(settings())
    work_some(first, 1)
    assert len(finished(prepare_study(settings()))) == 1


def test_another_number_of_workers_or_folder_is_no_other_study(settings, tmp_path):
    first = prepare_study(settings())
    assert prepare_study(settings(workers=7, out=tmp_path / "elsewhere")).id == first.id


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seed": 9}, "seed = 0, you asked for seed = 9"),
        ({"trials": (2, 2)}, "trials = 2,1, you asked for trials = 2,2"),
        ({"threads": 2}, "threads = 1, you asked for threads = 2"),
        ({"precision": "bfloat16"}, "precision = float32, you asked for precision = bfloat16"),
        ({"l2": (1e-4, 1.0)}, r"you asked for box = learning_rate \[1e-06, 0.001\], l2 \[0.0001, 1\]"),
    ],
)
def test_other_settings_do_not_resume_the_study_and_the_difference_is_named(changed, said, settings):
    prepare_study(settings())
    with pytest.raises(SearchError, match=said):
        prepare_study(settings(**changed))


def test_another_dataset_does_not_resume_the_study(settings, tmp_path):
    digest = prepare_study(settings()).spec.task.files["data"].digest
    other = write_tiny(tmp_path / "other.h5", seed=1)
    with pytest.raises(SearchError, match=f"data = {digest}, you asked for data = {other}"):
        prepare_study(settings(data=tmp_path / "other.h5"))


def test_a_study_of_another_program_is_refused_before_anything_else_is(settings, tmp_path):
    storage = create_storage(settings().storage)
    storage.rdb.create_new_trial(storage.rdb.create_new_study([StudyDirection.MINIMIZE], "age"))
    with pytest.raises(SearchError, match=r"'age' in .* was not made by agesearch"):
        prepare_study(settings(images=99, data=tmp_path / "none.h5"))


def test_an_experiment_is_no_search_that_could_be_resumed(settings, dataset):
    made = prepare_experiment(settings(), dataset, lambda _: Experiment("sizes", (variant("one", {}, 6, 1, 1),)))
    with pytest.raises(SearchError, match=r"the study 'age-sizes' is the experiment sizes, .* use another --study"):
        prepare_study(settings(study=made.name))


def test_the_machine_is_asked_for_the_fastest_precision_when_a_study_is_created_and_not_again(settings, asked):
    automatic = settings(precision="auto")
    assert prepare_study(automatic).spec.task.settings["precision"] == "bfloat16"
    assert prepare_study(automatic).spec.task.settings["precision"] == "bfloat16"
    assert asked == ["devices"]


def test_where_there_are_no_finalists_their_images_may_be_more_than_there_are(settings):
    assert prepare_study(settings(finalists=0, finalist_images=7)).spec.finalists is None


def test_a_precision_that_is_given_needs_no_measurement(settings, asked):
    prepare_study(settings())
    assert asked == []


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        (
            {"finalists": 2, "finalist_images": 7},
            SearchError,
            r"finalist_images is 7, but .*faces.h5 has 6 training images; give --finalist-images 6 or fewer",
        ),
        ({"images": 7}, SearchError, r"images is 7, but .*faces.h5 has 6 training images; give --images 6 or fewer"),
        (
            {"pruning": "median", "pruning_images": 5},
            SearchError,
            r"pruning_images is 5, but .* has 4 validation images; give --pruning-",
        ),
        ({"learning_rate": (1.0, 0.1)}, SearchError, r"the range learning_rate = \[1.0, 0.1\] is not one"),
        ({"storage": "mysql://ada@host/d"}, SearchError, "is of the unknown kind"),
        ({"out": "faces.h5"}, DatasetError, "cannot write .*worker-1.log: .* is not a folder; choose another --out"),
    ],
)
def test_what_can_never_work_is_refused_before_a_study_is_made(changed, kind, said, settings, dataset):
    if "out" in changed:
        changed = {"out": dataset}
    with pytest.raises(kind, match=said):
        prepare_study(settings(**changed))
    with pytest.raises(SearchError, match="no study"):
        searching.load_study(open_storage(settings().storage), "age")


def test_images_that_are_too_small_for_the_network_are_refused_with_the_layer(settings, tmp_path):
    write_tiny(tmp_path / "small.h5", shape=(32, 32, 1))
    with pytest.raises(
        SearchError, match=r"small\.h5 are 32×32×1, and the network cannot take them: layer \d+, Conv2D"
    ):
        prepare_study(settings(data=tmp_path / "small.h5"))


def test_images_of_other_sizes_and_colours_are_taken(settings, tmp_path):
    write_tiny(tmp_path / "colour.h5", shape=(96, 96, 3))
    assert prepare_study(settings(data=tmp_path / "colour.h5")).spec.task.files.keys() == {"data"}


def test_small_images_are_taken_by_a_network_that_is_described_for_them(settings, tmp_path):
    write_tiny(tmp_path / "small.h5", shape=(8, 8, 1))
    (tmp_path / "network.toml").write_text(NETWORK)
    spec = prepare_study(settings(network=tmp_path / "network.toml", data=tmp_path / "small.h5")).spec
    assert spec.task.files["network"].text == read_network(tmp_path / "network.toml")


def test_an_output_that_cannot_answer_the_labels_is_refused_before_a_study_is_made(settings, tmp_path):
    write_tiny(tmp_path / "ages.h5", shape=(8, 8, 1))
    (tmp_path / "network.toml").write_text(NETWORK.replace("linear", "sigmoid"))
    with pytest.raises(ModelError, match="last layer's activation 'sigmoid' answers 0 to 1; choose a linear one"):
        prepare_study(settings(network=tmp_path / "network.toml", data=tmp_path / "ages.h5"))
    with pytest.raises(SearchError, match="no study"):
        searching.load_study(open_storage(settings().storage), "age")


NETWORK = "[[layers]]\nkind = 'flatten'\n[[layers]]\nkind = 'dense'\nunits = 1\nactivation = 'linear'\n"


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("width=8|16", "width can only be varied in the paper's network"),
        ("dropout=0.1|0.2", "dropout is varied, but the network has no dropout layer"),
    ],
)
def test_what_a_network_of_the_users_own_does_not_have_cannot_be_searched(space, said, settings, tmp_path):
    (tmp_path / "network.toml").write_text(NETWORK)
    with pytest.raises(SearchError, match=said):
        prepare_study(settings(network=tmp_path / "network.toml", space=space))


def test_the_space_adds_to_the_ranges_of_learning_rate_and_l2_or_replaces_them(settings):
    box = prepare_study(settings(space="batch_size=2|3,l2=0.0")).spec.box
    assert box == Box((FIRST_BOX.ranges[0], Choices("l2", (0.0,)), Choices("batch_size", (2, 3))))


def test_a_choice_that_is_enqueued_as_another_kind_of_number_is_the_spaces_own(settings):
    spec = prepare_study(settings(space="batch_size=2|3", enqueue="batch_size=2.0")).spec
    assert repr(spec.enqueued) == "((('batch_size', 2),),)"


def test_given_ranges_leave_the_rest_of_the_box(settings):
    ranges = {"learning_rate": (1e-5, 1e-4), "l2": (1e-3, 1e-2)}
    later = prepare_study(settings(space="dropout=linear:0:0.5", ranges=ranges)).spec.ranges
    assert [str(each) for each in later.ranges] == [
        "learning_rate [1e-05, 0.0001]", "l2 [0.001, 0.01]", "dropout [0, 0.5] linear"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"space": "l2=1e-3|1e-2", "l2": (1e-4, 1.0)}, "l2 is given twice, as a setting of its own and in space"),
        (
            {"space": "l2=0.1", "ranges": {"learning_rate": (1e-5, 1e-4), "l2": (1e-3, 1e-2)}},
            "ranges has l2, which is no range of numbers of the first box",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changed, said, settings):
    with pytest.raises(SearchError, match=said):
        prepare_study(settings(**changed))


def test_a_file_that_is_no_dataset_is_refused(settings, tmp_path):
    (tmp_path / "text.h5").write_text("faces")
    with pytest.raises(DatasetError):
        prepare_study(settings(data=tmp_path / "text.h5"))


@pytest.mark.usefixtures("asked")
def test_a_search_goes_on_until_the_study_is_done_and_is_watched(settings, launcher, tmp_path):
    chosen, seen = settings(), []
    study = prepare_study(chosen)
    assert launch_workers(chosen, study, seen.append)
    assert [now.closed for now in seen] == [1, 2, 3, 3]
    assert launcher.last.places == (Place(), Place())
    assert launcher.last.logs == tmp_path / "runs/logs/age"
    assert launcher.last.stopped == 1


@pytest.mark.usefixtures("asked")
def test_the_number_of_workers_is_the_users_where_one_is_given(settings, launcher):
    chosen = settings(workers=3)
    launch_workers(chosen, prepare_study(chosen), lambda _: None)
    assert len(launcher.last.places) == 3


@pytest.mark.usefixtures("asked")
def test_workers_of_several_threads_are_as_many_as_there_are_cores_for(settings, launcher):
    chosen = settings(threads=2)
    launch_workers(chosen, prepare_study(chosen), lambda _: None)
    assert len(launcher.last.places) == 1


@pytest.mark.usefixtures("asked")
def test_no_name_of_a_study_leads_its_logs_out_of_the_folder(settings, launcher, tmp_path):
    chosen = settings(study="../else where")
    launch_workers(chosen, prepare_study(chosen), lambda _: None)
    assert launcher.last.logs.parent == tmp_path / "runs/logs"
    assert launcher.last.logs.name.startswith(".._else where-")


def test_a_study_with_more_images_than_are_asked_for_by_default_is_resumed(settings, dataset):
    first = prepare_study(settings(images=5))
    bare = Settings(storage=settings().storage, out=settings().out, data=dataset)
    assert prepare_study(bare).spec == first.spec


def test_who_leaves_the_precision_to_the_machine_takes_what_another_has_just_measured(settings, monkeypatch):
    def another_is_quicker():
        prepare_study(settings())
        return DEVICES

    monkeypatch.setattr(images, "machine", another_is_quicker)
    assert prepare_study(settings(precision="auto")).spec.task.settings["precision"] == "float32"


def test_one_later_range_is_given_and_the_other_stays(settings):
    spec = prepare_study(settings(ranges={"learning_rate": (1e-5, 1e-4)})).spec
    assert spec.ranges == Box((LogRange("learning_rate", 1e-5, 1e-4), LogRange("l2", 1e-6, 1e1)))


def test_artifacts_that_cannot_be_written_are_refused_before_anything_is_trained(settings, dataset, asked):
    chosen = settings(artifacts=dataset)
    with pytest.raises(DatasetError, match=r"cannot write .*artifact: .* is not a folder; choose another --artifacts"):
        launch_workers(chosen, prepare_study(chosen), lambda _: None)
    assert asked == []


def test_a_finished_study_needs_no_machine_and_no_worker(settings, asked, launcher):
    study = prepare_study(settings())
    work_off(study)
    assert launch_workers(settings(), study, lambda _: None)
    assert asked == []
    assert launcher.last is None


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_workers_before_the_study_is_done(end, settings, launcher):
    signals = iter([end])  # one, since `watch` is called once more when all workers have ended
    study = prepare_study(settings())
    assert not launch_workers(settings(), study, lambda _: [signal.raise_signal(each) for each in signals])
    assert launcher.last.stopped == 1
    assert standing_of(study) < 3


def standing_of(study):
    return searching.study_progress(Slots(study)).closed


@pytest.mark.usefixtures("asked")
def test_workers_that_end_before_the_study_are_a_failure(settings, launcher, monkeypatch):
    monkeypatch.setattr(launcher, "replace_dead", lambda _self, _closed: False)
    with pytest.raises(SearchFailure, match="the workers ended before the study, with 0 of 3 slots closed; 'agesearch"):
        launch_workers(settings(), prepare_study(settings()), lambda _: None)
    assert launcher.last.stopped == 1


@pytest.mark.usefixtures("asked")
def test_workers_are_stopped_when_the_search_cannot_go_on(settings, launcher):
    def fail(_now):
        raise SearchError("the disk is full")

    study = prepare_study(settings())
    with pytest.raises(SearchError, match="the disk is full"):
        launch_workers(settings(), study, fail)
    assert launcher.last.stopped == 1


@pytest.fixture
def answers(monkeypatch):
    """Let the process that is asked for the devices answer as it is told to."""

    def answer(*given):
        machine.cache_clear()
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], *given))

    yield answer
    machine.cache_clear()


def test_the_machine_is_asked_once(answers):
    answers(0, '{"gpus": [0], "cores": 2, "precision": "float32"}\n', "")
    assert machine() is machine()
    assert machine()["gpus"] == [0]


@pytest.mark.parametrize(
    ("err", "reason"), [("Traceback\n  ...\nImportError: no libcuda\n", "ImportError: no libcuda"), ("", "it said no")]
)
def test_a_machine_on_which_tensorflow_does_not_start_is_refused_with_the_reason(err, reason, answers):
    answers(1, "", err)
    with pytest.raises(SearchError, match=f"TensorFlow does not start: {reason}"):
        machine()


LOCKED = OperationalError("SELECT", {}, Exception())
LOCKED.__cause__ = Exception("database is locked")


@pytest.mark.usefixtures("asked")
def test_a_storage_that_does_not_answer_for_a_moment_is_left_to_the_workers(settings, launcher, monkeypatch):
    study, times, seen = prepare_study(settings()), count(), []

    def failing(*arguments):
        if next(times) in (1, 2):
            raise LOCKED
        return study_progress(*arguments)

    monkeypatch.setattr(searching, "study_progress", failing)
    assert launch_workers(settings(), study, seen.append)
    assert seen[-1].closed == 3
    assert launcher.last.stopped == 1


@pytest.mark.usefixtures("asked")
def test_who_stops_while_the_storage_is_away_hears_of_no_failure(settings, launcher, monkeypatch):
    study = prepare_study(settings())

    def away(*_):
        raise LOCKED

    def stop_and_lose_it(_now):
        signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr(searching, "study_progress", away)

    assert not launch_workers(settings(), study, stop_and_lose_it)
    assert launcher.last.stopped == 1


def test_a_storage_that_does_not_answer_at_the_beginning_is_one_sentence(settings, monkeypatch):
    def failing(_slots):
        raise LOCKED

    monkeypatch.setattr(searching, "study_progress", failing)
    with pytest.raises(SearchFailure, match="cannot be used: database is locked"):
        launch_workers(settings(), prepare_study(settings()), lambda _now: None)
