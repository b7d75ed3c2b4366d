"""The weights a network starts from, drawn with NumPy alone: the same on every device and in every process."""

from math import prod, sqrt

import numpy as np
import numpy.typing as npt

from model.errors import ModelError
from model.network.layers import GAUSSIAN_STDDEV
from model.network.network import Initializer, Network
from model.network.shapes import Shape, WeightSpec

Weights = list[npt.NDArray[np.float32]]


def initial_weights(network: Network, seed: int) -> Weights:
    """Draw the starting weights of `network`: float32 arrays in the order of `network.weights`.

    Kernels are Glorot-uniform ("xavier") or normal with standard deviation 0.05 ("gaussian"), gamma, the moving
    variance and factors are 1, everything else 0. Each array has a random stream of its own, made from `seed` and
    its position. Raises ModelError for a seed that is not a whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ModelError(f"seed is {seed!r}; it must be a whole number of at least 0")
    return [_drawn(spec, network.initializer, int(seed), index) for index, spec in enumerate(network.weights)]


def glorot_limit(kernel_shape: Shape) -> float:
    """Return the bound of the Glorot-uniform distribution, sqrt(6 / (fan in + fan out)).

    The fans are Keras': the inputs and the units of a dense kernel, each times the window's area for a convolution.
    """
    *window, inputs, units = kernel_shape
    return sqrt(6 / (prod(window) * (inputs + units)))


def _drawn(spec: WeightSpec, initializer: Initializer, seed: int, index: int) -> npt.NDArray[np.float32]:
    if spec.role in ("gamma", "moving_variance", "factors"):
        return np.ones(spec.shape, np.float32)
    if spec.role != "kernel":
        return np.zeros(spec.shape, np.float32)
    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
    if initializer == "gaussian":
        return stream.normal(0.0, GAUSSIAN_STDDEV, spec.shape).astype(np.float32)
    limit = glorot_limit(spec.shape)
    return stream.uniform(-limit, limit, spec.shape).astype(np.float32)
