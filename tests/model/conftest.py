"""What the tests of this room share: one thread, as a worker has, and small images that can be learnt from."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.engine.device import configure

if TYPE_CHECKING:
    from model.arrays import Examples

# Before any test computes: TensorFlow takes its number of threads at the first operation.
configure(threads=1)


@pytest.fixture(scope="session")
def draw_examples() -> "Callable[..., Examples]":
    """Draw `count` images, 12×12×1 unless told otherwise, that are the brighter the older."""
    from model.arrays import Examples

    def drawn(count: int, seed: int = 0, shape: tuple[int, int, int] = (12, 12, 1)) -> Examples:
        stream = np.random.default_rng(seed)
        labels = stream.uniform(1, 80, count).astype(np.float32)
        brightest = (40 + 2.5 * labels).reshape(-1, 1, 1, 1)
        return Examples((stream.random((count, *shape)) * brightest).astype(np.uint8), labels)

    return drawn
