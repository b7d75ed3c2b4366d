"""What fitted networks answer for image files: a number for each, or what is wrong with the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.decoding import Decoder
from data.errors import DatasetError
from data.images import read_image
from model.arrays import Images
from model.results.keras_file import KerasFile
from model.results.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Prediction:
    """An image file, and what was predicted of it; None where it could not be read, which `error` explains."""

    image: Path
    value: float | None = None
    error: str = ""

    def as_dict(self, quantity: Quantity) -> dict[str, Any]:
        """Return it by name, in the digits that float32 has."""
        if self.value is None:
            return {"image": str(self.image), "error": self.error}
        return {"image": str(self.image), quantity.noun: float(str(np.float32(self.value))), "unit": quantity.unit}


def predict_images(models: Sequence[KerasFile], images: Sequence[Path]) -> list[Prediction]:
    """Return the mean of what the models answer for each file, in the files' order."""
    height, width, channels = models[0].image_shape
    read: list[Images | DatasetError] = []
    with Decoder() as decoder:
        for image in images:
            try:
                read.append(read_image(image, (height, width), channels, decoder.decode))
            except DatasetError as error:  # one bad file takes no other's answer away
                read.append(error)
    answers = iter(_means(models, [each for each in read if not isinstance(each, DatasetError)]))
    return [
        Prediction(image, error=" ".join(str(each).split()))
        if isinstance(each, DatasetError)
        else Prediction(image, next(answers))
        for image, each in zip(images, read, strict=True)
    ]


def _means(models: Sequence[KerasFile], pixels: Sequence[Images]) -> list[float]:
    if not pixels:
        return []
    answers = [model.predict(np.stack(pixels)) for model in models]
    return [float(value) for value in np.stack(answers).mean(axis=0, dtype=np.float64)]
