"""The engine: one network compiled once, on data that stays on the device, for any number of trainings.

Everything a training depends on is a variable or an argument (learning rate, penalty, order of the images), so nothing
is traced again from one training to the next; `reset` makes the next one independent of all before it. An epoch is one
graph call: images are gathered, scaled, learnt from and forgotten without coming back to Python.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from model.errors import ModelError
from model.examples import Examples, Images, Labels, Rows
from model.forward import Tensor, TrainingPass, folded, inference
from model.initializers import Weights, initial_weights
from model.network import Network
from model.operations import operations

PREDICTION_BATCH = 64
"""Images a step of prediction; measured on a CPU: the activations of more of them leave the cache."""

STATISTICS_BATCH = 125
"""Images a step when batch-norm statistics are recomputed: a trial's 500 are four whole batches."""

ADAM_BETA_1, ADAM_BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-7
"""Keras' defaults, which the paper used."""


@dataclass(frozen=True, slots=True)
class Training:
    """What a training step needs beside the images; `penalty` is the coefficient of the L2 or L1 penalty."""

    learning_rate: float
    penalty: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the next epoch depends on: weights, Adam's two moments for each trainable one, steps done, seed."""

    weights: Weights
    first_moments: Weights
    second_moments: Weights
    steps: int
    seed: int


class Engine:
    """Trains and evaluates `network` on `examples`, on one device.

    `precision`, "float32" or "bfloat16", is that of the convolutions; weights are float32 always. `momentum` is batch
    normalisation's, with which moving statistics follow the batches'.
    """

    def __init__(
        self, network: Network, examples: Examples, *, batch_size: int, momentum: float, precision: str
    ) -> None:
        self.network, self.batch_size, self.momentum = network, batch_size, momentum
        self.traces = 0
        self._dtype = tf.as_dtype(precision)
        self._operations = operations(network)
        self._images, self._labels = tf.constant(examples.images), tf.constant(examples.labels)
        self._weights = [tf.Variable(tf.zeros(spec.shape), name=spec.name) for spec in network.weights]
        self._trainable = [i for i, spec in enumerate(network.weights) if spec.trainable]
        self._moments = [
            [tf.Variable(tf.zeros(network.weights[i].shape)) for i in self._trainable] for _ in ("first", "second")
        ]
        self._steps = tf.Variable(0, dtype=tf.int64)
        self._seed = tf.Variable(0, dtype=tf.int32)
        self._compile()

    @property
    def weights(self) -> Weights:
        """Copies of the weights, in the order of `network.weights`."""
        return [variable.numpy() for variable in self._weights]

    def reset(self, seed: int, output_bias: float = 0.0) -> None:
        """Start over: weights drawn from `seed`, the output's bias at `output_bias`, moments and steps at nothing."""
        weights = initial_weights(self.network, seed)
        # Where the output is batch-normalised, its beta: normalisation takes a bias before it away again.
        last = max(i for i, spec in enumerate(self.network.weights) if spec.role in ("bias", "beta"))
        weights[last] = np.full_like(weights[last], output_bias)
        nothing = [np.zeros(self.network.weights[i].shape, np.float32) for i in self._trainable]
        self.restore(Snapshot(weights, nothing, nothing, 0, seed))

    def snapshot(self) -> Snapshot:
        """Copy everything that the next epoch depends on."""
        first, second = ([variable.numpy() for variable in moments] for moments in self._moments)
        return Snapshot(self.weights, first, second, int(self._steps.numpy()), int(self._seed.numpy()))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to `snapshot`: the next epoch is the one that would have followed it, bit for bit on a CPU."""
        for variable, value in zip(self._weights, snapshot.weights, strict=True):
            variable.assign(value)
        for moments, values in zip(self._moments, (snapshot.first_moments, snapshot.second_moments), strict=True):
            for variable, value in zip(moments, values, strict=True):
                variable.assign(value)
        self._steps.assign(snapshot.steps)
        self._seed.assign(snapshot.seed % 2**31)

    def train(self, order: Rows, training: Training) -> float:
        """Learn from the images of `order`, int32 (n,), n ≥ 1, batch by batch; the last batch may be smaller.

        Returns the mean absolute error over them, each as it was predicted just before it was learnt from.
        """
        total = self._train(
            _some(order),
            tf.constant(training.learning_rate, tf.float32),
            tf.constant(training.penalty, tf.float32),
        )
        return float(total.numpy()) / len(order)

    def recompute_statistics(self, rows: Rows) -> None:
        """Set batch-norm's moving statistics to those of the images of `rows` under the weights as they are now.

        `rows` are int32 (n,), n ≥ 1, in an order that mixes the labels, as training does: a batch's variance is that
        within it.
        """
        self._recompute(_some(rows))

    def predict(self, images: Images) -> Labels:
        """Return predictions, float32 (n,), for `images`, uint8 (n, H, W, C), which may be any number of any images."""
        predictions: Labels = self._predict(tf.constant(images)).numpy()
        return predictions

    def penalty(self) -> float:
        """Return what the penalty's coefficient is multiplied by: the sum of squares (L2) or sizes (L1) of weights."""
        counted = [
            value.astype(np.float64)
            for value, spec in zip(self.weights, self.network.weights, strict=True)
            if spec.regularised
        ]
        match self.network.regularizer:
            case "l2":
                return float(sum(np.square(value).sum() for value in counted))
            case "l1":
                return float(sum(np.abs(value).sum() for value in counted))
            case _:
                return 0.0

    def _compile(self) -> None:
        scalar, rows = tf.TensorSpec((), tf.float32), tf.TensorSpec((None,), tf.int32)
        images = tf.TensorSpec((None, *self.network.input_shape), tf.uint8)
        self._train = tf.function(self._epoch, input_signature=(rows, scalar, scalar), autograph=False)
        self._recompute = tf.function(self._population_statistics, input_signature=(rows,), autograph=False)
        self._predict = tf.function(self._predictions, input_signature=(images,), autograph=False)

    def _epoch(self, order: Tensor, learning_rate: Tensor, penalty: Tensor) -> Tensor:
        self.traces += 1  # Python runs here only while TensorFlow traces

        def learn(batch: Tensor, total: Tensor) -> Tensor:
            return total + self._step(batch, learning_rate, penalty)

        return _over_batches(order, self.batch_size, learn, tf.constant(0.0))

    def _step(self, rows: Tensor, learning_rate: Tensor, penalty: Tensor) -> Tensor:
        images, labels = tf.gather(self._images, rows), tf.gather(self._labels, rows)
        trainable = [self._weights[i] for i in self._trainable]
        seed = tf.stack([self._seed, tf.cast(self._steps, tf.int32) * len(self._operations)])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(trainable)
            run = TrainingPass(self._weights, self._dtype, seed)
            errors = tf.abs(run.predict(self._operations, images) - labels)
            loss = tf.reduce_mean(errors)
        gradients = tape.gradient(loss, trainable, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        self._apply(gradients, learning_rate, penalty)
        for index, value in run.statistics.items():
            self._weights[index].assign_sub((self._weights[index] - value) * (1 - self.momentum))
        return tf.reduce_sum(errors)

    def _apply(self, gradients: Sequence[Tensor], learning_rate: Tensor, penalty: Tensor) -> None:
        """One step of Adam (Kingma & Ba, 2015, algorithm 1 in its efficient order), as Keras does it."""
        done = tf.cast(self._steps, tf.float32)
        for place, (index, gradient) in enumerate(zip(self._trainable, gradients, strict=True)):
            variable = self._weights[index]
            if self.network.weights[index].regularised:
                gradient = gradient + self._penalty_gradient(variable, penalty)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._moments[0][place].handle,
                v=self._moments[1][place].handle,
                beta1_power=tf.pow(ADAM_BETA_1, done + 1),
                beta2_power=tf.pow(ADAM_BETA_2, done + 1),
                lr=learning_rate,
                beta1=ADAM_BETA_1,
                beta2=ADAM_BETA_2,
                epsilon=ADAM_EPSILON,
                grad=gradient,
            )
        self._steps.assign_add(1)

    def _penalty_gradient(self, variable: Tensor, penalty: Tensor) -> Tensor:
        match self.network.regularizer:
            case "l2":
                return 2 * penalty * variable
            case "l1":
                return penalty * tf.sign(variable)
            case _:
                return tf.zeros_like(variable)

    def _population_statistics(self, rows: Tensor) -> None:
        """Average the batches' statistics, each batch normalised by its own, weighted by the batches' sizes."""
        moving = [i for i, spec in enumerate(self.network.weights) if not spec.trainable]
        count = tf.cast(tf.size(rows), tf.float32)

        def measure(batch: Tensor, sums: list[Tensor]) -> list[Tensor]:
            run = TrainingPass(self._weights, self._dtype, tf.stack([self._seed, 0]))
            run.predict(self._operations, tf.gather(self._images, batch))
            share = tf.cast(tf.size(batch), tf.float32) / count
            return [total + share * run.statistics[index] for index, total in zip(moving, sums, strict=True)]

        nothing = [tf.zeros_like(self._weights[index]) for index in moving]
        for index, value in zip(moving, _over_batches(rows, STATISTICS_BATCH, measure, nothing), strict=True):
            self._weights[index].assign(value)

    def _predictions(self, images: Tensor) -> Tensor:
        parameters = folded(self._operations, [tf.convert_to_tensor(weight) for weight in self._weights])

        def predict(batch: Tensor, pieces: tf.TensorArray) -> tf.TensorArray:
            return pieces.write(pieces.size(), inference(self._operations, parameters, batch, self._dtype))

        pieces = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False, element_shape=(None,))
        return _over_batches(images, PREDICTION_BATCH, predict, pieces).concat()


def _some(rows: Rows) -> Tensor:
    if not len(rows):
        raise ModelError("rows is empty; choose at least one image")
    return tf.constant(rows, tf.int32)


def _over_batches(rows: Tensor, size: int, body: Callable[[Tensor, Any], Any], state: Any) -> Any:
    """Fold `body(batch, state)` over `rows`, `size` at a time, in the graph; the last batch may be smaller."""
    count = tf.shape(rows)[0]

    def step(start: Tensor, state: Any) -> tuple[Tensor, Any]:
        return start + size, body(rows[start : start + size], state)

    return tf.while_loop(lambda start, _: start < count, step, (0, state), parallel_iterations=1)[1]
