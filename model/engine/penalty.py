"""The penalty on kernels and biases: what its coefficient is multiplied by, and its gradient."""

from typing import TypeAlias

import numpy as np
import tensorflow as tf

from model.network.initializers import Weights
from model.network.network import Network, Regularizer

Tensor: TypeAlias = tf.Tensor


def penalised_sum(network: Network, weights: Weights) -> float:
    """Return the sum of squares (L2) or sizes (L1) of the `weights` of `network` that are penalised, in float64."""
    pairs = zip(weights, network.weights, strict=True)
    counted = [value.astype(np.float64) for value, spec in pairs if spec.regularised]
    match network.regularizer:
        case "l2":
            return float(sum(np.square(value).sum() for value in counted))
        case "l1":
            return float(sum(np.abs(value).sum() for value in counted))
        case _:
            return 0.0


def penalty_gradient(regularizer: Regularizer, weight: Tensor, coefficient: Tensor) -> Tensor:
    """Return the gradient of `coefficient` times the sum, by one of the weights."""
    match regularizer:
        case "l2":
            return 2 * coefficient * weight
        case "l1":
            return coefficient * tf.sign(weight)
        case _:
            return tf.zeros_like(weight)
