import tomllib
from types import SimpleNamespace

import numpy as np
import pytest
import tomli_w

import model.engine.device
from model.network.description import tables_of
from model.network.layers import Dense, Flatten
from model.network.paper import paper_network
from search.errors import SearchError
from search.tasks.images.fit_folder import ABOUT, HISTORY, MODEL, STATE
from search.tasks.images.fit_record import predict, read_fit
from tests.search.tiny import write_fit


@pytest.fixture
def folder(tmp_path):
    return write_fit(tmp_path / "fit", "abc")


def test_a_fit_is_read_as_it_was_made(folder):
    fit = read_fit(folder)
    assert (fit.name, fit.recipe, fit.precision, fit.dataset) == (str(folder), "default", "float32", "abc")
    assert fit.settings["l2"] == 1e-5
    assert [(row.epoch, row.training_mae, row.validation_mae) for row in fit.history] == [
        (1, 9.0, 8.0),
        (2, 7.0, 7.5),
        (3, 6.0, 7.75),
    ]


def test_a_fits_network_is_the_one_that_was_fitted(folder):
    assert read_fit(folder).network == paper_network()
    about = tomllib.loads((folder / ABOUT).read_text())
    own = {"image_shape": [8, 8, 3], "network": tables_of((Flatten(), Dense(1)))}
    (folder / ABOUT).write_text(tomli_w.dumps(about | own))
    network = read_fit(folder).network
    assert (network.layers, network.input_shape) == ((Flatten(), Dense(1)), (8, 8, 3))


def test_the_epoch_that_was_kept_is_the_one_with_the_lowest_validation_error(folder):
    assert read_fit(folder).kept.epoch == 2


def test_a_fit_that_has_not_ended_is_refused(folder):
    (folder / MODEL).unlink()
    (folder / STATE).touch()
    with pytest.raises(SearchError, match="has not ended"):
        read_fit(folder)


@pytest.mark.parametrize("name", [ABOUT, HISTORY])
@pytest.mark.parametrize("content", [None, "", "epoch,best\n1,1\n", "recipe = 1\n", "\xff", "x" * 200_000])
def test_damaged_files_are_named(folder, name, content):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(SearchError, match=r"is not a complete fit \(fit.toml or history.csv\)"):
        read_fit(folder)


def test_every_split_is_predicted_by_the_folders_model(folder, monkeypatch):
    seen = SimpleNamespace(set_up=0, paths=[])

    class FakeModel:
        def __init__(self, path):
            seen.paths.append(path)

        def predict(self, images):
            return images[:, 0, 0, 0].astype(np.float32)

    def set_up():
        seen.set_up += 1

    monkeypatch.setattr("model.results.keras_file.KerasFile", FakeModel)
    monkeypatch.setattr(model.engine.device, "configure_for_predictions", set_up)
    images = {"test": np.full((2, 3, 3, 1), 7, np.uint8), "training": np.full((1, 3, 3, 1), 9, np.uint8)}
    found = predict(folder, images)
    assert {split: ages.tolist() for split, ages in found.items()} == {"test": [7, 7], "training": [9]}
    assert (seen.paths, seen.set_up) == ([folder / MODEL], 1)
