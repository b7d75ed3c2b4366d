"""The optimiser: Adam with the penalty in its gradient, and weight decay beside it."""

from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from model.engine.penalty import penalty_gradient
from model.network.network import Network

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
