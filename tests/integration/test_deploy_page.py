"""The page on taking a model elsewhere: its lines run, and what they make answers as the model does."""

import re
from pathlib import Path

import numpy as np
import pytest

from model.network.initializers import initial_weights
from model.network.layers import AveragePool, Conv2D, Dense, Flatten
from model.network.network import Network
from model.results.answers import Answers
from model.results.keras_file import KerasFile, to_bytes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning"),  # TensorFlow's own
]

PAGE = Path(__file__).parents[2] / "docs/deploy.md"
NETWORK = Network((Conv2D(4, batch_norm=True), AveragePool(4), Flatten(), Dense(1, "linear")), (24, 24, 1))


def test_each_way_on_answers_as_the_model_does(tmp_path, monkeypatch, tell):
    import tensorflow as tf

    (tmp_path / "runs/fit").mkdir(parents=True)
    path = tmp_path / "runs/fit/model.keras"
    path.write_bytes(to_bytes(NETWORK, initial_weights(NETWORK, 1), Answers("years", -100.0, 100.0)))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 1), np.uint8)
    wanted = KerasFile(path).predict(pixels)
    monkeypatch.chdir(tmp_path)
    names = {"images": pixels.astype(np.float32)}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(block, names)  # noqa: S102  (the page's own lines)
    lite = tf.lite.Interpreter("model.tflite").get_signature_runner("serving_default")
    found = {"SavedModel": np.asarray(names["values"]), "TensorFlow Lite": lite(image=names["images"])["output_0"]}
    apart = {name: float(np.abs(values[:, 0] - wanted).max()) for name, values in found.items()}
    tell(f"largest difference from the Keras file: {apart}")
    assert max(apart.values()) < 1e-4
    assert np.ptp(wanted) > 0
