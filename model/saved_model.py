"""The network as a `.keras` file of stock Keras layers, which loads anywhere without this package; and back."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import ModelError
from model.examples import Images, Labels
from model.initializers import Weights
from model.layers import Network
from model.network import AgeModel

PREDICTION_BATCH = 64


def to_bytes(network: Network, weights: Weights, limits: tuple[float, float]) -> bytes:
    """Make a `.keras` file: pixels 0–255, (batch, height, width, channels), in; ages within `limits` out."""
    model = AgeModel(network).build(rescale=True, clip=limits)
    model.set_weights(weights)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


class SavedModel:
    """A `.keras` file, loaded with safe_mode, so that no code in it can run.

    Raises ModelError where there is none, or it is damaged, unsafe, or not an image-to-number network.
    """

    def __init__(self, path: Path) -> None:
        self._model = _loaded(path)
        shapes = (self._model.input_shape, self._model.output_shape)
        match shapes:
            case ((None, int(), int(), int()), (None, 1)):
                self.image_shape: tuple[int, int, int] = self._model.input_shape[1:]
            case _:
                raise ModelError(
                    f"{path} takes {shapes[0]} and gives {shapes[1]}; it must take images and give one number"
                )

    def predict(self, images: Images) -> Labels:
        """Return predictions, float32 (n,), for `images`, uint8 (n, H, W, C); raises ModelError for another shape."""
        if images.shape[1:] != self.image_shape:
            raise ModelError(f"images are {images.shape[1:]}; this model takes {self.image_shape}")
        starts = range(0, len(images), PREDICTION_BATCH)
        pieces = [self._forward(images[start : start + PREDICTION_BATCH]) for start in starts]
        return np.concatenate(pieces) if pieces else np.empty(0, np.float32)

    def _forward(self, images: Images) -> Labels:
        values: Labels = np.asarray(self._model(images.astype(np.float32), training=False), np.float32)[:, 0]
        return values


def _loaded(path: Path) -> Any:
    import keras

    if path.suffix != ".keras" or not path.is_file():
        raise ModelError(f"{path} is not a .keras file; give the folder that 'agesearch fit' wrote")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises errors of many kinds for what is not a model of its own
        raise ModelError(f"{path} cannot be loaded as a Keras model: {str(error).splitlines()[0]}") from error
