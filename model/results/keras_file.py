"""The network as a `.keras` file of stock Keras layers, which loads anywhere without this package; and back."""

import inspect
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.arrays import Images, Labels
from model.errors import ModelError
from model.network.initializers import Weights
from model.network.network import Network
from model.results.age_model import AgeModel
from model.results.answers import METADATA, WRITTEN_BY, Answers

IMAGES_A_CALL = 64
"""Images that the network is given at once, so that memory does not grow with how many there are."""


def to_bytes(network: Network, weights: Weights, answers: Answers, test_time_augmentation: bool = False) -> bytes:
    """Make a `.keras` file: pixels 0–255, (batch, height, width, channels), in; values in the range of `answers` out.

    With `test_time_augmentation` the file's network answers the mean over an image and its mirror image. The file says
    what its answers are (`read_answers`). It loads in Keras from 3.0 on.
    """
    limits = answers.low, answers.high
    model = AgeModel(network).build(rescale=True, clip=limits, test_time_augmentation=test_time_augmentation)
    model.set_weights(weights)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return _portable(path, answers)


def _portable(path: Path, answers: Answers) -> bytes:
    """Return the file at `path` as older versions of Keras read it, too, with what its answers are."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(parts.pop(METADATA)) | WRITTEN_BY | {"answers": answers.as_dict()}
    parts["config.json"] = portable(parts["config.json"].decode()).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in ({METADATA: json.dumps(about).encode()} | parts).items():
            archive.writestr(name, content)
    return packed.getvalue()


class KerasFile:
    """A `.keras` file, loaded with safe_mode, so that no code in it can run.

    Raises ModelError where there is none, or it is damaged, unsafe, or not an image-to-number network.
    """

    def __init__(self, path: Path) -> None:
        self._model = _loaded(path)
        taken, given = _shape(self._model, "input"), _shape(self._model, "output")
        match taken, given:
            case (None, int(height), int(width), int(channels)), (None, 1):
                self.image_shape = (height, width, channels)
            case _:
                raise ModelError(f"{path} takes {taken} and gives {given}; it must take images and give one number")

    def predict(self, images: Images) -> Labels:
        """Return predictions, float32 (n,), for `images`, uint8 (n, H, W, C); raises ModelError for another shape."""
        if images.shape[1:] != self.image_shape:
            raise ModelError(f"images are {images.shape[1:]}; this model takes {self.image_shape}")
        starts = range(0, len(images), IMAGES_A_CALL)
        pieces = [self._forward(images[start : start + IMAGES_A_CALL]) for start in starts]
        return np.concatenate(pieces) if pieces else np.empty(0, np.float32)

    def _forward(self, images: Images) -> Labels:
        import keras

        (answers,) = keras.tree.flatten(self._model([images.astype(np.float32)], training=False))
        values: Labels = np.asarray(answers, np.float32)[:, 0]
        return values


def _loaded(path: Path) -> Any:
    import keras

    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ModelError(f"{path} is not a whole .keras file; give the folder that 'agesearch fit' wrote")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises errors of many kinds for what is not a model of its own
        reason = str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise ModelError(f"{path} cannot be loaded as a Keras model: {reason}") from error


def _shape(model: Any, side: str) -> Any:
    """Return the shape of a model's one input or output; "no single array" where it has several, or none."""
    import keras

    # A model saved before it was built, or a bare layer, has no such attribute; one of several has a list or a dict.
    found = getattr(model, side, None)
    tensor = found[0] if isinstance(found, list) and len(found) == 1 else found
    return tensor.shape if isinstance(tensor, keras.KerasTensor) else "no single array"


REDRAWN: Final = ("_initializer", "_regularizer", "_constraint")
"""How keys end of what matters to a training alone: the weights are in the file."""


NEEDED: Final = ("name", "dtype", "offset")
"""Keys that stay at their defaults, too: rescaling asks for its offset."""


def portable(config: str) -> str:
    """Return the `config.json` of a functional model without what newer versions of Keras alone understand.

    That is initialisers, keys at their defaults, and the shapes that layers were built for, which follow from the
    first one. The type is named by its name, as every version reads it.
    """
    model = json.loads(config)
    model["config"]["layers"] = [_layer(layer) for layer in model["config"]["layers"]]
    for side in ("input_layers", "output_layers"):  # a list of one, which alone Keras before 3.4 reads
        model["config"][side] = [model["config"][side]]
    for key in ("build_config", "compile_config"):
        model.pop(key, None)
    return json.dumps(model)


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    own, defaults = layer["config"], _defaults(layer["class_name"])
    kept = {
        key: value
        for key, value in own.items()
        if key in NEEDED or not (key.endswith(REDRAWN) or (key in defaults and _plain(defaults[key]) == value))
    }
    if not layer["module"].startswith("keras.layers"):
        kept.pop("name", None)  # an operation took none in older versions
    if isinstance(policy := kept.get("dtype"), dict):
        kept["dtype"] = policy["config"]["name"]
    return {key: value for key, value in layer.items() if key != "build_config"} | {"config": kept}


def _defaults(class_name: str) -> dict[str, Any]:
    """Return what a layer's settings are unless they are named: those of its class, and of every layer."""
    import keras

    made = getattr(keras.layers, class_name, None)  # an operation, such as a clip, has its own and no others
    if made is None:
        return {}
    own = {name: parameter.default for name, parameter in inspect.signature(made.__init__).parameters.items()}
    return {"trainable": True} | own | ({"activation": "linear"} if own.get("activation", 0) is None else {})


def _plain(default: Any) -> Any:
    """Return a default as JSON has it, where a tuple is a list."""
    return list(default) if isinstance(default, tuple) else default
