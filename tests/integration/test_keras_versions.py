"""Exported models in older versions of Keras, each in an environment of its own: loaded, with the same answers."""

import json
import subprocess
import sys

import numpy as np
import pytest

from model.network.initializers import initial_weights
from model.results.answers import Answers
from model.results.keras_file import KerasFile, to_bytes
from model.training.recipe import recipe_named

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

VERSIONS = ("3.0.0", "3.3.3", "3.4.1", "3.10.0", "3.14.0")
RECIPES = ("default", "strong")
LOAD = """
import json, sys
import keras, numpy as np
images = np.load(sys.argv[1]).astype("float32")
models = [keras.saving.load_model(path, compile=False) for path in sys.argv[2:]]
answers = [np.asarray(model([images])).ravel().tolist() for model in models]
print(json.dumps([keras.__version__, answers]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment with a TensorFlow that every Keras 3 runs on."""
    folder = tmp_path_factory.mktemp("old")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    needed = ["tensorflow-cpu==2.16.*", "numpy<2", "dm-tree", "optree"]
    got = subprocess.run([python, "-m", "pip", "install", "-q", *needed], capture_output=True, text=True, check=False)
    if got.returncode:
        pytest.skip(f"cannot install TensorFlow 2.16: {got.stderr[-200:]}")
    return python


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Models of untrained networks, by their paths, with images and what they answer today."""
    folder, dice = tmp_path_factory.mktemp("exported"), np.random.default_rng(0)
    images = dice.integers(0, 256, (6, 91, 91, 1), np.uint8)
    np.save(folder / "images.npy", images)
    answers = {}
    for name in RECIPES:
        recipe = recipe_named(name)
        network, path = recipe.network(), folder / f"{name}.keras"
        weights = [value + dice.normal(0, 0.02, value.shape).astype("f4") for value in initial_weights(network, 1)]
        path.write_bytes(to_bytes(network, weights, Answers("years", -1e6, 1e6), recipe.test_time_augmentation))
        answers[path] = KerasFile(path).predict(images)
    return folder / "images.npy", answers


@pytest.mark.parametrize("version", VERSIONS)
def test_an_exported_model_answers_the_same_in_an_older_keras(version, python, exported, tmp_path):
    install = [python, "-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "keras", f"keras=={version}"]
    subprocess.run(install, check=True)
    images, expected = exported
    ended = subprocess.run(
        [python, "-c", LOAD, images, *expected],
        env={"PYTHONPATH": str(tmp_path / "keras"), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    loaded, answers = json.loads(ended.stdout.splitlines()[-1])
    assert loaded == version
    for answer, wanted in zip(answers, expected.values(), strict=True):
        assert np.ptp(wanted) > 0
        assert np.asarray(answer) == pytest.approx(wanted, rel=1e-3, abs=1e-6)
