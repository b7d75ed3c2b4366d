import re
import tomllib
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from data.arrays import Split
from model.errors import ModelError
from model.network.description import layers_from
from model.network.layers import Dense, Flatten
from model.network.network import Network
from model.results.answers import Answers
from model.training.final_fit import FitSettings, FitState
from model.training.history import Epoch
from model.training.short_training import DivergedError
from search.errors import SearchError
from search.tasks.alone import LOCK
from search.tasks.images import fitting
from search.tasks.images.fit_folder import ABOUT, CURVE, HISTORY, MODEL, STATE, has_ended
from search.tasks.images.fitting import Fit, members_of, run_fit

NETWORK = Network((Flatten(), Dense(1)), (91, 91, 1))
CLIPPED = Answers("years", 3.0, 70.0)
"""The range of the ages that are trained on."""

FIT = Fit("default", FitSettings(1e-4, 1e-3, epochs=3), "float32", 2, "ab12")


def split_of(labels):
    images = np.zeros((len(labels), 91, 91, 1), np.uint8)
    return Split(images, np.array(labels, np.float32), tuple(map(str, labels)))


TRAINING, VALIDATION = split_of([3.0, 70.0, 20.0]), split_of([30.0, 40.0])


class FakeFit:
    """Stands in for the training: an epoch is a line of history."""

    def __init__(self, recipe, settings, training, validation, precision):
        self.recipe, self.settings = recipe, settings
        self.engine = SimpleNamespace(network=NETWORK)
        FakeFit.given = (recipe.name, settings, len(training), len(validation), precision)

    def start(self):
        return FitState(None, (), None)

    def finished(self, state):
        return len(state.history) >= self.settings.epochs

    def run(self, state, keep, progress):
        while len(state.history) < self.settings.epochs:
            number = len(state.history) + 1
            progress(number, 0.0)
            row = Epoch(number, 20.0 / number, 10.0 / number, 1.0, True)
            state = replace(state, history=(*state.history, row), best_weights=[number])
            keep(state)
        return state


CHECKPOINT_MARK = b"PK\x03\x04" + '"fingerprint": '.encode("utf-32-le")
MODEL_MARK = b'PK\x03\x04"written_by": "agesearch"'
CURVE_MARK = b"\x89PNG\r\n\x1a\ntEXtSoftware\0agesearch"


def after(mark, path):
    return path.read_bytes().removeprefix(mark).decode()


def packed(state, fingerprint):
    return CHECKPOINT_MARK + f"{len(state.history)} {fingerprint}".encode()


def unpacked(content, network, fingerprint):
    assert network is NETWORK
    epochs, _, kept = content.removeprefix(CHECKPOINT_MARK).decode().partition(" ")
    if kept != fingerprint:
        raise ModelError("the checkpoint belongs to a fit with other settings or data; choose another --out")
    rows = tuple(Epoch(number, 20.0 / number, 10.0 / number, 1.0, True) for number in range(1, int(epochs) + 1))
    return FitState(None, rows, [int(epochs)])


@pytest.fixture(autouse=True)
def without_tensorflow(monkeypatch):
    monkeypatch.setattr(fitting, "FinalFit", FakeFit)
    monkeypatch.setattr(fitting.checkpoint, "to_bytes", packed)
    monkeypatch.setattr(fitting.checkpoint, "from_bytes", unpacked)
    monkeypatch.setattr(fitting.keras_file, "to_bytes", lambda *given: MODEL_MARK + repr(given).encode())
    monkeypatch.setattr(
        fitting.history,
        "learning_curve",
        lambda rows, quantity: CURVE_MARK + f"{len(rows)} epochs in {quantity.unit}".encode(),
    )


def fit_in(folder, fit=FIT, progress=lambda *_: None):
    return run_fit(fit, TRAINING, VALIDATION, folder, progress)


def test_a_fit_leaves_a_model_a_history_and_a_curve(tmp_path):
    state = fit_in(tmp_path / "new" / "fit")
    folder = tmp_path / "new" / "fit"
    assert len(state.history) == 3
    assert {path.name for path in folder.iterdir()} == {MODEL, HISTORY, CURVE, STATE, ABOUT, LOCK}
    assert after(MODEL_MARK, folder / MODEL) == repr((NETWORK, [3], CLIPPED, False))  # clipped to the ages trained on
    assert after(CURVE_MARK, folder / CURVE) == "3 epochs in years"
    assert len((folder / HISTORY).read_text().splitlines()) == 4
    assert FakeFit.given == ("default", FIT.settings, 3, 2, "float32")


def test_what_is_fitted_is_written_down_before_the_first_epoch(tmp_path):
    def stop(_state, _epoch, _share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_in(tmp_path, progress=stop)
    assert {path.name for path in tmp_path.iterdir()} == {ABOUT, LOCK}
    about = tomllib.loads((tmp_path / ABOUT).read_text())
    assert (about["recipe"], about["precision"], about["threads"]) == ("default", "float32", 2)
    assert about["dataset"] == {"digest": "ab12", "unit": "years"}
    assert (about["image_shape"], layers_from(about["network"])) == ([91, 91, 1], NETWORK.layers)
    assert about["settings"]["learning_rate"] == 1e-4
    assert len(about["fingerprint"]) == 64


def test_what_is_written_down_of_a_fit_stays_where_nothing_more_is_trained_and_changes_where_it_goes_on(tmp_path):
    fit_in(tmp_path)
    before = (tmp_path / ABOUT).read_bytes()
    for epochs, same in ((3, True), (5, False)):
        fit_in(tmp_path, replace(FIT, settings=replace(FIT.settings, epochs=epochs, patience=50)))
        assert ((tmp_path / ABOUT).read_bytes() == before) is same
    (tmp_path / ABOUT).unlink()
    fit_in(tmp_path, replace(FIT, settings=replace(FIT.settings, epochs=5)))
    assert tomllib.loads((tmp_path / ABOUT).read_text())["settings"]["epochs"] == 5


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "interrupted"])
def test_a_fit_of_fewer_epochs_than_are_trained_already_is_refused_and_changes_nothing(ended, tmp_path):
    def stop(state, _epoch, _share):
        if not ended and len(state.history) == 2:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        fit_in(tmp_path, progress=stop)
    trained, before = (3 if ended else 2), {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    said = rf"holds {trained} epochs already, you asked for 1; give --fit-epochs {trained} or more, or choose another"
    with pytest.raises(SearchError, match=said):
        fit_in(tmp_path, replace(FIT, settings=replace(FIT.settings, epochs=1)))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_fit_that_goes_on_and_is_interrupted_does_not_pass_for_ended_with_the_network_it_had(tmp_path):
    fit_in(tmp_path)

    def stop(state, _epoch, _share):
        if len(state.history) == 4:
            raise KeyboardInterrupt

    longer = replace(FIT, settings=replace(FIT.settings, epochs=9))
    with pytest.raises(KeyboardInterrupt):
        fit_in(tmp_path, longer, progress=stop)
    assert not has_ended(tmp_path)
    fit_in(tmp_path, longer)
    assert after(MODEL_MARK, tmp_path / MODEL) == repr((NETWORK, [9], CLIPPED, False))


def test_a_network_without_the_checkpoint_that_made_it_is_not_replaced(tmp_path):
    (tmp_path / MODEL).write_bytes(b"somebody's")
    with pytest.raises(
        SearchError, match=r"has a model\.keras and no checkpoint\.npz to go on from; choose another --out"
    ):
        fit_in(tmp_path)
    assert (tmp_path / MODEL).read_bytes() == b"somebody's"


def test_two_fits_are_not_at_work_in_one_folder_at_once(tmp_path):
    other = replace(FIT, settings=replace(FIT.settings, learning_rate=2e-4))

    def begin_another(*_):
        before = (tmp_path / ABOUT).read_bytes()
        with pytest.raises(SearchError, match=f"another fit is running in {tmp_path}; wait until it ends, or choose"):
            fit_in(tmp_path, other)
        assert (tmp_path / ABOUT).read_bytes() == before

    fit_in(tmp_path, progress=begin_another)
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 4


def test_a_fit_that_was_ended_goes_on_where_it_was(tmp_path):
    epochs = []

    def stop_in_the_third(_state, epoch, _share):
        epochs.append(epoch)
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_in(tmp_path, progress=stop_in_the_third)
    assert not (tmp_path / MODEL).exists()
    state = fit_in(tmp_path, progress=lambda _state, epoch, _share: epochs.append(epoch))
    assert epochs == [1, 2, 3, 3, 3]
    assert len(state.history) == 3
    assert (tmp_path / MODEL).exists()


def test_the_history_of_a_fit_that_was_killed_after_its_last_epochs_state_is_whole_in_the_end(tmp_path, monkeypatch):
    def killed(path, content):
        if path.name == HISTORY and content.count(b"\n") == 4:
            raise KeyboardInterrupt
        path.write_bytes(content)

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            fit_in(tmp_path)
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 3
    fit_in(tmp_path)
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 4


def test_progress_hears_of_every_epoch_and_of_the_end(tmp_path):
    heard = []
    fit_in(tmp_path, progress=lambda state, epoch, share: heard.append((len(state.history), epoch, share)))
    assert heard == [(0, 1, 0.0), (1, 2, 0.0), (2, 3, 0.0), (3, 3, 1.0)]


def test_a_finished_fit_may_be_given_more_epochs(tmp_path):
    fit_in(tmp_path)
    more = replace(FIT, settings=replace(FIT.settings, epochs=5, patience=4, time_limit=60.0))
    assert len(fit_in(tmp_path, more).history) == 5


def test_the_members_of_an_ensemble_differ_in_their_seeds_alone_and_more_of_them_leave_the_first_as_they_are():
    three, four = members_of(FIT, 3), members_of(FIT, 4)
    assert three[0] == FIT
    assert four[:3] == three
    assert len({each.settings.seed for each in four}) == 4
    assert all(replace(each, settings=FIT.settings) == FIT for each in four)
    assert members_of(replace(FIT, settings=replace(FIT.settings, seed=1)), 2)[1] != three[1]


def test_a_fit_whose_rate_falls_to_the_end_may_not_be_given_another_end():
    falling = replace(FIT, recipe="strong")
    assert replace(falling, settings=replace(FIT.settings, epochs=5)).fingerprint() != falling.fingerprint()
    assert replace(falling, settings=replace(FIT.settings, patience=4)).fingerprint() == falling.fingerprint()


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (replace(FIT, recipe="paper"), "recipe"),
        (replace(FIT, precision="bfloat16"), "precision"),
        (replace(FIT, threads=1), "threads"),
        (replace(FIT, dataset="cd34"), "dataset"),
        (replace(FIT, settings=replace(FIT.settings, learning_rate=2e-4)), "learning_rate"),
        (replace(FIT, settings=replace(FIT.settings, l2=2e-3)), "l2"),
        (replace(FIT, settings=replace(FIT.settings, batch_size=16)), "batch_size"),
        (replace(FIT, settings=replace(FIT.settings, seed=1)), "seed"),
    ],
)
def test_a_fit_of_anything_else_does_not_go_on_in_the_folder(other, name, tmp_path):
    fit_in(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    holder = "settings" if hasattr(FIT.settings, name) else ""
    old, new = (getattr(getattr(fit, holder) if holder else fit, name) for fit in (FIT, other))
    with pytest.raises(SearchError, match=re.escape(f"holds a fit with {name} = {old}, and {new} is asked for")):
        fit_in(tmp_path, other)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_fit_that_diverges_ends_with_the_best_weights_it_had(tmp_path, monkeypatch, caplog):
    def diverge(self, state, keep, progress):
        state = FakeFit.run(SimpleNamespace(settings=replace(self.settings, epochs=2)), state, keep, progress)
        raise DivergedError("epoch 3 has a training error of nan")

    monkeypatch.setattr(fitting, "FinalFit", type("Diverging", (FakeFit,), {"run": diverge}))
    assert len(fit_in(tmp_path).history) == 2
    assert (tmp_path / MODEL).is_file()
    assert "epoch 3 has a training error of nan; the fit ends with the weights of epoch 2" in caplog.text


def test_a_fit_that_diverges_at_once_is_an_error(tmp_path, monkeypatch):
    def diverge(*_):
        raise DivergedError("epoch 1 has a training error of nan")

    monkeypatch.setattr(fitting, "FinalFit", type("Diverging", (FakeFit,), {"run": diverge}))
    with pytest.raises(DivergedError, match="epoch 1"):
        fit_in(tmp_path)
    assert not (tmp_path / MODEL).exists()
