"""The network as a `.keras` file of stock Keras layers, which loads anywhere without this package; and back."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import ModelError
from model.examples import Images, Labels
from model.network.initializers import Weights
from model.network.network import Network
from model.results.age_model import AgeModel
from model.results.answers import METADATA, WRITTEN_BY, Answers
from model.results.portable import portable

IMAGES_A_CALL = 64
"""Images that the network is given at once, so that memory does not grow with how many there are."""


def to_bytes(network: Network, weights: Weights, answers: Answers, flip_averaged: bool = False) -> bytes:
    """Make a `.keras` file: pixels 0–255, (batch, height, width, channels), in; values in the range of `answers` out.

    With `flip_averaged` the file's network answers the mean over an image and its mirror image. The file says what its
    answers are (`read_answers`). It loads in Keras from 3.0 on.
    """
    limits = answers.low, answers.high
    model = AgeModel(network).build(rescale=True, clip=limits, flip_averaged=flip_averaged)
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


class SavedModel:
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
