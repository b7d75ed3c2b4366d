"""The networks that a trial keeps on its way, as `.keras` files: after some epochs, and the best one by validation."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from model.network.initializers import Weights
from model.results import keras_file
from model.results.answers import Answers
from search.tasks.images.options import BEST, Keeping, file_after

if TYPE_CHECKING:
    from model.training.short_training import ShortTraining


class Keeper:
    """Looks at one training after each epoch and keeps the weights that are wanted; `answers` are the network's."""

    def __init__(self, keeping: Keeping, training: "ShortTraining", answers: Answers) -> None:
        self._keeping, self._training, self._answers = keeping, training, answers
        self._weights: dict[str, Weights] = {}
        self._lowest = math.inf

    def look(self, epoch: int, error: float | None) -> None:
        """Keep what is wanted of the network as it is now, with the validation error just measured, if it was."""
        if epoch in self._keeping.after:
            self._weights[file_after(epoch)] = self._training.engine.weights
        if error is not None and epoch <= self._keeping.best_until and error < self._lowest:
            self._lowest, self._weights[BEST] = error, self._training.engine.weights

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Make the files, by their names."""
        network, averaged = self._training.engine.network, self._training.recipe.test_time_augmentation
        for name, weights in self._weights.items():
            yield name, keras_file.to_bytes(network, weights, self._answers, averaged)
