"""An ensemble from its first epoch to the report, on a network so small that it trains in an instant."""

import csv
import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from data.dataset import read_split
from model.engine.device import configure
from model.results.evaluation import evaluate
from search.results.paired import compare
from tests.search.tiny import write_tiny

configure(threads=1)

BEST = """\
[hyperparameters]
learning_rate = 1e-2
l2 = 1e-4
[training]
batch_size = 4
precision = "float32"
[[network]]
kind = "flatten"
[[network]]
kind = "dense"
units = 3
[[network]]
kind = "dense"
units = 1
activation = "linear"
"""
FIT = ("fit", "best.toml", "--data", "data.h5", "--fit-epochs", "3", "--fit-threads", "1", "--seed", "7")
MEMBERS = ("one/member-1", "one/member-2", "one/member-3")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr("model.engine.device.usable_cores", lambda: 1)
    write_tiny(tmp_path / "data.h5", (12, 8, 9), (8, 8, 1))
    (tmp_path / "best.toml").write_text(BEST)
    return tmp_path


def test_an_ensemble_is_fitted_and_evaluated_beside_its_members_and_one_that_was_stopped_ends_alike(
    here, agesearch, monkeypatch
):
    ended = agesearch(*FIT, "--ensemble", "3", "--out", "one")
    assert ended.code == 0, ended.err
    assert [line.partition(":")[0] for line in ended.out.splitlines()] == list(MEMBERS)
    check_evaluation(agesearch, here)

    stop_after(monkeypatch, 9 + 5)  # the first member's files, and the second's up to its second epoch
    assert agesearch(*FIT, "--ensemble", "3", "--out", "two").code == 130
    assert not (here / "two/member-2/model.keras").exists()
    assert "has not ended" in agesearch("evaluate", "two", "--data", "data.h5").err
    monkeypatch.undo()
    monkeypatch.chdir(here)
    monkeypatch.setattr("model.engine.device.usable_cores", lambda: 1)
    assert agesearch(*FIT, "--ensemble", "3", "--out", "two").code == 0
    undisturbed, resumed = ([weights(here / run / f"member-{n}") for n in (1, 2, 3)] for run in ("one", "two"))
    assert all(np.array_equal(a, b) for a, b in zip(undisturbed, resumed, strict=True))
    first, second, third = undisturbed
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)

    # A member is an ordinary fit, the first one that of the same seed without an ensemble.
    assert agesearch(*FIT, "--out", "single").code == 0
    assert np.array_equal(weights(here / "single"), first)
    assert "holds a fit of one network" in agesearch(*FIT, "--ensemble", "2", "--out", "single").err
    assert "holds an ensemble" in agesearch(*FIT, "--out", "one").err


def check_evaluation(agesearch, here):
    from model.results.keras_file import KerasFile

    test = read_split(here / "data.h5", "test")
    predictions = [KerasFile(here / name / "model.keras").predict(test.images) for name in MEMBERS]
    mean = np.mean(predictions, axis=0, dtype=np.float64).astype(np.float32)
    found = json.loads(agesearch("evaluate", "one", "--data", "data.h5", "--json").out)
    assert found["mae"] == evaluate(mean, test.labels).mae
    assert [(each["member"], each["mae"]) for each in found["members"]] == [
        (name, evaluate(own, test.labels).mae) for name, own in zip(MEMBERS, predictions, strict=True)
    ]
    best = min(range(3), key=lambda place: found["members"][place]["validation_mae"])
    assert found["best_member"] == MEMBERS[best]
    assert found["difference"] == compare(mean, predictions[best], test.labels).as_dict()
    first, _, *members, against = agesearch("evaluate", "one", "--data", "data.h5").out.splitlines()
    assert first.endswith("over 9 images, the mean of 3 networks")
    assert [line.partition(":")[0] for line in members] == list(MEMBERS)
    assert against.startswith(f"all together against {MEMBERS[best]}, the best by validation: difference ")

    made = json.loads(agesearch("report", "--data", "data.h5", "--fit", "one", "--out", "report", "--json").out)
    assert "Result" in made["sections"]
    result, compared = (rows(here / f"report/tables/{name}.csv") for name in ("result", "comparison"))
    assert [row[0] for row in result[1:5]] == ["one, the mean of 3 networks", *MEMBERS]
    assert [float(row[1]) for row in result[1:5]] == [found["mae"], *(each["mae"] for each in found["members"])]
    assert [row[0] for row in compared[1:]] == list(MEMBERS)
    assert float(compared[1 + best][1]) == found["difference"]["mean"]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def stop_after(monkeypatch, files):
    """Let a fit be interrupted instead of writing one file more."""
    from search.tasks.images import fitting

    write, left = fitting.write_bytes, iter(range(files))

    def stopping(path, content):
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(fitting, "write_bytes", stopping)


def weights(folder):
    """Return all numbers in a model's file."""
    with zipfile.ZipFile(folder / "model.keras") as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    found = []
    with h5py.File(content) as file:
        file.visititems(lambda _, item: found.append(item[()].ravel()) if isinstance(item, h5py.Dataset) else None)
    assert len(found) >= 4
    return np.concatenate(found)
