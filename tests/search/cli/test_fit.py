import json
import signal
from types import SimpleNamespace

import pytest

import model.engine.device
from data.dataset import inspect_dataset
from model.training.final_fit import FitSettings, FitState
from model.training.history import Epoch
from model.training.short_training import DivergedError
from search.tasks.alone import alone_in
from search.tasks.images.fit_folder import ABOUT, STATE, members
from tests.search.tiny import write_tiny

MINIMAL = "[hyperparameters]\nlearning_rate = 1e-4\nl2 = 1e-3\n"
DONE = FitState(None, (Epoch(1, 9.0, 8.0, 1.0, True), Epoch(2, 7.0, 8.5, 1.0, False)), None)


@pytest.fixture
def faces(tmp_path):
    """A tiny dataset whose validation labels are within the range of its training labels."""
    write_tiny(tmp_path / "faces.h5", seed=6)
    return tmp_path / "faces.h5"


@pytest.fixture
def fits(monkeypatch):
    """What is fitted, instead of fitting it; `act` is what happens meanwhile."""
    seen = SimpleNamespace(jobs=[], splits=[], folders=[], threads=[], act=lambda _progress: None)

    def run_fit(job, training, validation, folder, progress):
        seen.jobs.append(job)
        seen.splits.append((len(training), len(validation)))
        seen.folders.append(folder)
        seen.act(progress)
        return DONE

    monkeypatch.setattr("search.tasks.images.fitting.run_fit", run_fit)
    monkeypatch.setattr(model.engine.device, "configure", seen.threads.append)
    monkeypatch.setattr(model.engine.device, "usable_cores", lambda: 2)
    monkeypatch.setattr(model.engine.device, "fastest_precision", lambda: "bfloat16")
    return seen


@pytest.fixture
def best(tmp_path):
    def write(content=MINIMAL):
        (tmp_path / "best.toml").write_text(content)
        return tmp_path / "best.toml"

    return write


@pytest.mark.usefixtures("faces")
def test_a_configuration_is_fitted_on_training_and_validation(agesearch, fits, best, tmp_path):
    ended = agesearch("fit", best(), "--data", "faces.h5", "--out", "fit", "--fit-epochs", "7", "--seed", "3")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "fit: epoch 1 of 2 is kept, validation MAE 8.000 years\n"
    job = fits.jobs[0]
    assert job.settings == FitSettings(1e-4, 1e-3, 7, 32, 3, None, None)
    assert (job.recipe, job.precision, job.threads) == ("default", "bfloat16", 2)
    assert job.dataset == inspect_dataset(tmp_path / "faces.h5").digest
    assert fits.splits == [(6, 4)]
    assert [str(folder) for folder in fits.folders] == ["fit"]
    assert fits.threads == [2]


@pytest.mark.usefixtures("faces")
def test_the_seed_is_the_setting_s(agesearch, fits, best, monkeypatch):
    monkeypatch.setenv("AGESEARCH_SEED", "7")
    agesearch("fit", best(), "--data", "faces.h5")
    assert fits.jobs[0].settings.seed == 7


@pytest.mark.usefixtures("faces", "fits")
def test_a_program_is_answered_with_what_each_fit_kept_and_where_it_is(agesearch, best):
    single, several = (
        json.loads(agesearch("fit", best(), "--data", "faces.h5", "--out", out, *more, "--json").out)
        for out, more in (("fit", ()), ("three", ("--ensemble", "3")))
    )
    kept = {"epochs": 2, "kept_epoch": 1, "training_mae": 9.0, "validation_mae": 8.0}
    files = {"model": "fit/model.keras", "history": "fit/history.csv", "curve": "fit/learning_curve.png"}
    assert single == {"unit": "years", "fits": [{"folder": "fit", **kept, **files}]}
    assert [each["folder"] for each in several["fits"]] == [f"three/member-{number}" for number in (1, 2, 3)]


@pytest.mark.usefixtures("faces")
def test_the_file_and_the_flags_say_how(agesearch, fits, best):
    best(MINIMAL + "[training]\nrecipe = 'paper'\nbatch_size = 16\nprecision = 'float32'\n")
    limits = ("--fit-patience", "4", "--fit-minutes", "1.5", "--fit-threads", "1")
    agesearch("fit", "--data", "faces.h5", *limits)
    job = fits.jobs[0]
    assert (job.recipe, job.precision, job.threads) == ("paper", "float32", 1)
    assert (job.settings.batch_size, job.settings.patience, job.settings.time_limit) == (16, 4, 90.0)


@pytest.mark.usefixtures("faces")
def test_a_fit_is_in_the_folder_of_the_setting_out_unless_another_one_is_named(agesearch, fits, best, monkeypatch):
    agesearch("fit", best(), "--data", "faces.h5")
    monkeypatch.setenv("AGESEARCH_OUT", "there")
    agesearch("fit", best(), "--data", "faces.h5")
    assert [str(folder) for folder in fits.folders] == ["runs/fit", "there/fit"]


@pytest.mark.usefixtures("faces")
@pytest.mark.parametrize(
    ("rate", "l2", "said"), [(1e-3, 0.0, ""), (1e-3, 1e-4, "0.001 and 0.0001"), (2e-4, 0, "0.0002 and 0")]
)
def test_what_a_recipe_was_measured_with_is_said_where_it_is_given_something_else(
    rate, l2, said, agesearch, fits, best
):
    best(f"[hyperparameters]\nlearning_rate = {rate}\nl2 = {l2}\n[training]\nrecipe = 'light'\n")
    ended = agesearch("fit", "--data", "faces.h5")
    measured = "the recipe light was measured with a learning rate of 0.001 and no L2; best.toml has "
    assert ended.err == (f"{measured}{said}\n" if said else "")
    assert (fits.jobs[0].settings.learning_rate, fits.jobs[0].settings.l2) == (rate, l2)


@pytest.mark.usefixtures("fits")
def test_labels_of_validation_that_no_answer_comes_to_are_said(agesearch, best, tmp_path):
    write_tiny(tmp_path / "narrow.h5")  # with training labels from 19 to 49, of which validation has none
    ended = agesearch("fit", best(), "--data", "narrow.h5")
    assert (ended.code, ended.err) == (
        0,
        "4 of 4 validation labels lie outside of the range of the training labels, 19 to 49; "
        "the network's answers stay within it\n",
    )


@pytest.mark.usefixtures("faces")
def test_a_fit_goes_on_with_the_precision_and_the_threads_it_was_started_with(agesearch, fits, best, tmp_path):
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / ABOUT).write_text("# Written by agesearch\nprecision = 'float32'\nthreads = 7\n")
    (tmp_path / "fit" / STATE).touch()
    agesearch("fit", best(), "--data", "faces.h5", "--out", "fit")
    assert (fits.jobs[0].precision, fits.jobs[0].threads) == ("float32", 7)


def test_another_dataset_is_refused_unless_it_is_wanted(agesearch, refused, fits, best, faces, tmp_path):
    digest = write_tiny(tmp_path / "other.h5", seed=1)
    best(f"{MINIMAL}[dataset]\ndigest = '{digest}'\n")
    mine = inspect_dataset(faces).digest
    said = refused("fit", "--data", "faces.h5")
    assert said.startswith(f"faces.h5 has the digest {mine[:12]}…, best.toml comes from {digest[:12]}…; ")
    assert fits.threads == []
    assert agesearch("fit", "--data", "faces.h5", "--any-dataset").code == 0
    assert agesearch("fit", "--data", "other.h5").code == 0


@pytest.mark.usefixtures("faces")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_fit_that_is_stopped_ends_with_exit_code_130(end, agesearch, fits, best):
    def act(progress):
        progress(FitState(None, (), None), 1, 0.0)
        signal.raise_signal(end)
        progress(FitState(None, (), None), 1, 0.5)
        raise AssertionError("it went on")

    fits.act = act
    ended = agesearch("fit", best(), "--data", "faces.h5")
    assert (ended.code, ended.err) == (130, "")


@pytest.mark.usefixtures("faces")
def test_a_fit_that_diverges_is_the_configurations_fault(refused, fits, best):
    def act(_progress):
        raise DivergedError("epoch 1 has a training error of nan; lower the learning rate")

    fits.act = act
    best()
    assert refused("fit", "--data", "faces.h5").endswith("lower the learning rate")


@pytest.mark.usefixtures("faces")
def test_a_configuration_with_a_misspelt_key_is_refused(refused, fits, best):
    best(MINIMAL + "[training]\nbatchsize = 16\n")
    assert "has a wrong training.batchsize" in refused("fit", "--data", "faces.h5")
    assert fits.jobs == []


@pytest.mark.usefixtures("faces")
@pytest.mark.parametrize("count", ["1", "2"])
def test_nobody_else_may_begin_in_the_folder_of_an_ensemble_that_has_no_epoch_yet(
    count, agesearch, fits, best, tmp_path
):
    said, path = [], best()

    def intrude(_progress):
        if not said:
            said.append("")
            said.append(agesearch("fit", path, "--data", "faces.h5", "--out", "fit", "--ensemble", count).err)

    fits.act = intrude
    assert agesearch("fit", path, "--data", "faces.h5", "--out", "fit", "--ensemble", "3").code == 0
    assert "another fit is running in fit" in said[1]
    assert len(fits.folders) == 3
    assert len(members(tmp_path / "fit")) == 3


@pytest.mark.usefixtures("faces")
def test_a_fit_of_one_network_leaves_its_folder_to_the_fit_itself_to_lock(agesearch, fits, best, tmp_path):
    def lock(_progress):
        with alone_in(tmp_path / "fit"):
            fits.locked = True

    fits.act = lock
    assert agesearch("fit", best(), "--data", "faces.h5", "--out", "fit").code == 0
    assert fits.locked
