"""The network as a `.keras` file: the same answers as the engine's, and no file that is not such a network."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.arrays import Examples
from model.engine.engine import Engine, Hyperparameters
from model.engine.setup import Setup
from model.errors import ModelError
from model.network.initializers import initial_weights
from model.network.layers import AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool
from model.network.network import Network
from model.results.answers import Answers, read_answers
from model.results.keras_file import IMAGES_A_CALL, KerasFile, to_bytes

NETWORK = Network(
    (
        Conv2D(4, batch_norm=True),
        MaxPool(),
        Conv2D(4, 2, "same", "tanh"),
        BatchNorm(),
        AveragePool(),
        Flatten(),
        Dropout(0.3),
        Dense(6, batch_norm=True),
        Dense(1, "linear"),
    ),
    (12, 12, 1),
)
LIMITS = (1.0, 80.0)
ANSWERS = Answers("mm", *LIMITS)
Draw = Callable[..., Examples]


@pytest.fixture(scope="module")
def engine(draw_examples: Draw) -> Engine:
    """An engine after a little training, so that no weight is at its neutral value."""
    engine = Engine(NETWORK, draw_examples(80), Setup(8, 0.9, "float32"))
    engine.reset(1, 35.0)
    for _ in range(3):
        engine.train(np.arange(80, dtype=np.int32), Hyperparameters(1e-2, 1e-3))
    return engine


@pytest.fixture(scope="module")
def whole(engine: Engine) -> bytes:
    return to_bytes(NETWORK, engine.weights, ANSWERS)


@pytest.fixture
def path(tmp_path: Path, whole: bytes) -> Path:
    path = tmp_path / "model.keras"
    path.write_bytes(whole)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        KerasFile(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


def test_flip_averaged_it_answers_the_mean_over_an_image_and_its_mirror_image(
    tmp_path: Path, engine: Engine, draw_examples: Draw
) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(to_bytes(NETWORK, engine.weights, ANSWERS, test_time_augmentation=True))
    images = draw_examples(9, seed=7).images
    both = [engine.predict(seen) for seen in (images, images[:, :, ::-1])]
    assert np.abs(both[0] - both[1]).max() > 0.01
    assert KerasFile(path).predict(images) == pytest.approx(np.mean(both, axis=0).clip(*LIMITS), abs=1e-3)


@pytest.mark.parametrize("count", [1, IMAGES_A_CALL, 2 * IMAGES_A_CALL + 3])
def test_it_answers_as_the_engine_does_within_the_limits(
    path: Path, engine: Engine, draw_examples: Draw, count: int
) -> None:
    images = draw_examples(count, seed=7).images
    model = KerasFile(path)
    answers = model.predict(images)
    assert (answers.shape, answers.dtype) == ((count,), np.float32)
    assert answers == pytest.approx(engine.predict(images).clip(*LIMITS), abs=1e-3)
    assert model.image_shape == (12, 12, 1)


def test_answers_are_clipped_to_the_limits(tmp_path: Path, engine: Engine, draw_examples: Draw) -> None:
    images = draw_examples(40, seed=7).images
    free = engine.predict(images)
    low, high = (float(value) for value in np.quantile(free, (0.3, 0.7)))
    path = tmp_path / "model.keras"
    path.write_bytes(to_bytes(NETWORK, engine.weights, Answers("mm", low, high)))
    answers = KerasFile(path).predict(images)
    assert answers == pytest.approx(free.clip(low, high), abs=1e-3)
    assert (answers.min(), answers.max()) == pytest.approx((low, high), abs=1e-4)


def test_no_images_get_no_answers(path: Path) -> None:
    answers = KerasFile(path).predict(np.empty((0, 12, 12, 1), np.uint8))
    assert (answers.shape, answers.dtype) == ((0,), np.float32)


@pytest.mark.parametrize("shape", [(2, 12, 12, 3), (2, 11, 12, 1), (12, 12, 1)])
def test_images_of_another_shape_are_refused(path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=rf"images are {re.escape(str(shape[1:]))}; this model takes \(12, 12, 1\)"):
        KerasFile(path).predict(np.zeros(shape, np.uint8))


def test_nothing_but_stock_keras_is_in_the_file(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    modules = set(re.findall(r'"module": "([^"]+)"', config))
    assert all(module.split(".")[0] == "keras" for module in modules)
    assert re.search(r'"registered_name": "[^"]*>', config) is None


@pytest.mark.parametrize("name", ["missing.keras", "folder.keras"])
def test_where_there_is_no_file_it_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.keras").mkdir()
    assert "is not a whole .keras file; give the folder" in refusal(tmp_path / name)


def test_a_file_of_another_name_is_refused(path: Path) -> None:
    other = path.rename(path.with_suffix(".h5"))
    assert "is not a whole .keras file" in refusal(other)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"])
def test_a_file_of_something_else_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is not a whole .keras file" in refusal(path)


def test_a_truncated_file_is_refused_wherever_it_ends(path: Path, whole: bytes) -> None:
    for length in range(0, len(whole), len(whole) // 25):
        path.write_bytes(whole[:length])
        assert "is not a whole .keras file" in refusal(path)


def test_a_damaged_byte_is_refused_or_makes_no_difference(path: Path, whole: bytes, engine: Engine) -> None:
    stream = np.random.default_rng(2)
    images = np.full((1, 12, 12, 1), 77, np.uint8)
    expected = engine.predict(images).clip(*LIMITS)
    refused = 0
    for _ in range(25):
        content = bytearray(whole)
        content[stream.integers(len(content))] ^= int(stream.integers(1, 256))
        path.write_bytes(content)
        try:
            answers = KerasFile(path).predict(images)
        except ModelError:
            refused += 1
        else:
            assert answers == pytest.approx(expected, abs=1e-3)
    assert refused > 15


@pytest.mark.parametrize("left_out", ["config.json", "model.weights.h5"])
def test_a_file_without_one_of_its_parts_is_refused(path: Path, left_out: str) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name != left_out}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert "cannot be loaded as a Keras model: " in refusal(path)


def test_a_layer_of_code_is_refused_and_not_run(tmp_path: Path) -> None:
    import keras

    image = keras.Input((4, 4, 1))
    code = keras.layers.Lambda(lambda values: keras.ops.mean(values, axis=(1, 2)))
    path = tmp_path / "model.keras"
    keras.Model(image, code(image)).save(path)
    assert re.search("cannot be loaded as a Keras model: .*Lambda", refusal(path))


def strangers() -> dict[str, Any]:
    """Make Keras models with other inputs or outputs than an image and a number."""
    from keras import Input, Model, Sequential, layers

    image, second, row, free = Input((4, 4, 1)), Input((4, 4, 1)), Input((4,)), Input((None, None, 1))
    flat = layers.Flatten()(image)
    both = layers.Flatten()(layers.Add()([image, second]))
    return {
        "a row in": Model(row, layers.Dense(1)(row)),
        "two numbers out": Model(image, layers.Dense(2)(flat)),
        "images of any size in": Model(free, layers.Dense(1)(layers.GlobalAveragePooling2D()(free))),
        "an image out": Model(image, layers.Conv2D(1, 3)(image)),
        "two images in": Model([image, second], layers.Dense(1)(both)),
        "two outputs": Model(image, [layers.Dense(1)(flat), layers.Dense(1)(flat)]),
        "a named output": Model(image, {"age": layers.Dense(1)(flat)}),
        "nothing built": Sequential([layers.Flatten(), layers.Dense(1)]),
    }


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built:UserWarning")
def test_models_with_other_inputs_or_outputs_are_refused(tmp_path: Path) -> None:
    for name, model in strangers().items():
        path = tmp_path / f"{name}.keras"
        model.save(path)
        assert "it must take images and give one number" in refusal(path)


def test_weights_of_another_network_are_not_packed() -> None:
    other = Network((Flatten(), Dense(1)), (12, 12, 1))
    with pytest.raises(ValueError, match="weights"):
        to_bytes(NETWORK, initial_weights(other, 1), ANSWERS)


def test_the_file_says_what_its_answers_are(path: Path) -> None:
    assert read_answers(path) == ANSWERS


def test_a_model_of_another_program_says_nothing_of_its_answers(tmp_path: Path) -> None:
    import keras

    image = keras.Input((4, 4, 1))
    keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(image))).save(tmp_path / "model.keras")
    assert read_answers(tmp_path / "model.keras") is None


def test_nothing_that_newer_versions_of_keras_alone_know_is_in_the_file(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    for word in ("_initializer", "_regularizer", "_constraint", "renorm", "quantization_config", "DTypePolicy"):
        assert word not in config
