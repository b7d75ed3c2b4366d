"""The small values and comparisons that several tests of this room use."""

import numpy as np

from model.network.initializers import Weights


def ages(*values: float) -> np.ndarray:
    """Return labels, or what was predicted for them."""
    return np.array(values, np.float32)


def equal(first: Weights, second: Weights) -> bool:
    """Whether two networks have the same weights to the last bit."""
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def ignore(*_: object) -> None:
    """Take what is reported, and do nothing with it."""
