"""The optimiser: Adam with the penalty in its gradient, and weight decay next to it."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from model.network.initializers import Weights
from model.network.network import Network, Regularizer

Tensor: TypeAlias = tf.Tensor

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""Keras' defaults, which the paper used."""


class Adam:
    """Adam (Kingma & Ba, 2015, algorithm 1 in its efficient order) as Keras does it, for the weights of one network.

    `decay` times the learning rate is the share of every kernel that a step takes away (decoupled weight decay:
    Loshchilov & Hutter, 2019).
    """

    def __init__(self, network: Network, weights: Sequence[tf.Variable], decay: float) -> None:
        self._decay, self._regularizer = decay, network.regularizer
        self._trained = [
            (variable, spec) for variable, spec in zip(weights, network.weights, strict=True) if spec.trainable
        ]
        self.variables = [variable for variable, _ in self._trained]
        self.first, self.second = ([tf.Variable(tf.zeros(v.shape)) for v in self.variables] for _ in range(2))

    def apply(self, gradients: Sequence[Tensor], done: Tensor, learning_rate: Tensor, penalty: Tensor) -> None:
        """Make one step in the graph, `done` (int64) steps after the first; `penalty` is the penalty's coefficient."""
        power = tf.cast(done, tf.float32) + 1
        for (variable, spec), gradient, first, second in zip(
            self._trained, gradients, self.first, self.second, strict=True
        ):
            if spec.regularised:
                gradient = gradient + penalty_gradient(self._regularizer, variable, penalty)
            if self._decay and spec.role == "kernel":
                variable.assign_sub(learning_rate * self._decay * variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=tf.pow(BETA_1, power),
                beta2_power=tf.pow(BETA_2, power),
                lr=learning_rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )


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
