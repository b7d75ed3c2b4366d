"""The engine: one network compiled once, on data that stays on the device, for any number of trainings.

Everything a training depends on is a variable or an argument (learning rate, penalty, order of the images), so nothing
is traced again from one training to the next; `reset` makes the next one independent of all before it. An epoch is one
graph call: images are gathered, scaled, learnt from and forgotten without coming back to Python.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.arrays import Examples, Images, Labels, Rows
from model.engine.adam import Adam, penalised_sum
from model.engine.distortion import distorted
from model.engine.forward import Tensor, TrainingPass, folded, inference, scaled
from model.engine.label_distribution import balancing_weights, cross_entropy, prior, support
from model.engine.label_scale import label_scale, times
from model.engine.operations import operations
from model.engine.setup import Setup
from model.errors import ModelError
from model.network.initializers import Weights, initial_weights
from model.network.layers import Dropout
from model.network.network import Network

PREDICTION_BATCH = 64
"""Images a step of prediction; measured on a CPU: the activations of more of them leave the cache."""

STATISTICS_BATCH = 125
"""Images a step when batch-norm statistics are recomputed: a trial's 500 are four whole batches."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a training step needs next to the images; `l2` is the coefficient of the penalty, be that L2 or L1.

    `dropout` is the rate of all dropout layers instead of their own.
    """

    learning_rate: float
    l2: float
    dropout: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the next epoch depends on: weights, Adam's two moments for each trainable one, steps done, seed.

    The weights are as they are learnt: what they answer is in units of `scale` of the labels.
    """

    weights: Weights
    first_moments: Weights
    second_moments: Weights
    steps: int
    seed: int
    scale: float = 1.0


class Engine:
    """Trains and evaluates `network` on `examples`, on one device."""

    def __init__(self, network: Network, examples: Examples, setup: Setup) -> None:
        self.network, self.setup = network, setup
        self.traces = 0
        self._dtype = tf.as_dtype(setup.precision)
        self._operations = operations(network)
        self._scale = np.float32(label_scale(examples.labels, network))
        self._images, self._labels = tf.constant(examples.images), tf.constant(examples.labels / self._scale)
        self._balance = tf.constant(balancing_weights(examples.labels)) if setup.balanced else None
        self._weights = [tf.Variable(tf.zeros(spec.shape), name=spec.name) for spec in network.weights]
        self._adam = Adam(network, self._weights, setup.decay)
        self._steps = tf.Variable(0, dtype=tf.int64)
        self._seed = tf.Variable(0, dtype=tf.int32)
        self._own_rates = {i: float(each.rate) for i, each in enumerate(self._operations) if isinstance(each, Dropout)}
        self._rates = {i: tf.Variable(rate) for i, rate in self._own_rates.items()}
        self._compile()

    @property
    def weights(self) -> Weights:
        """Copies of the weights, in the order of `network.weights`, with which it answers in the labels' unit."""
        return times(self.network, self._learnt(), self._scale)

    def reset(self, seed: int, output_bias: float = 0.0) -> None:
        """Start over: weights drawn from `seed`, the output's bias at `output_bias`, moments and steps at nothing.

        Of a network that ends in an expectation, the values are spread over the training labels instead, and their
        shares start at the labels'.
        """
        weights = initial_weights(self.network, seed)
        # Where the output is batch-normalised, its beta: normalisation takes a bias before it away again.
        last = max(i for i, spec in enumerate(self.network.weights) if spec.role in ("bias", "beta"))
        weights[last] = np.full_like(weights[last], output_bias / self._scale)
        if self.network.weights[-1].role == "values":
            values = support(self._labels.numpy(), len(weights[-1]))
            weights[last], weights[-1] = prior(self._labels.numpy(), values), values[:, np.newaxis]
        nothing = [np.zeros(variable.shape, np.float32) for variable in self._adam.variables]
        self.restore(Snapshot(weights, nothing, nothing, 0, seed, float(self._scale)))

    def snapshot(self) -> Snapshot:
        """Copy everything that the next epoch depends on."""
        first, second = (
            [variable.numpy() for variable in moments] for moments in (self._adam.first, self._adam.second)
        )
        steps, seed = int(self._steps.numpy()), int(self._seed.numpy())
        return Snapshot(self._learnt(), first, second, steps, seed, float(self._scale))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to `snapshot`: the next epoch is the one that would have followed it, bit for bit on a CPU.

        Raises ModelError where it was learnt in another unit.
        """
        if snapshot.scale != self._scale:
            raise ModelError(
                f"what was trained was learnt in units of {snapshot.scale:g}, and labels are learnt in units of "
                f"{float(self._scale):g}; start over"
            )
        for variables, values in (
            (self._weights, snapshot.weights),
            (self._adam.first, snapshot.first_moments),
            (self._adam.second, snapshot.second_moments),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self._steps.assign(snapshot.steps)
        self._seed.assign(snapshot.seed % 2**31)

    def train(
        self, order: Rows, hyperparameters: Hyperparameters, factors: npt.NDArray[np.float32] | None = None
    ) -> float:
        """Learn from the images of `order`, int32 (n,), n ≥ 1, batch by batch; the last batch may be smaller.

        `factors`, float32, one a batch, multiply the learning rate. Returns the mean absolute error over the images,
        each as it was predicted just before it was learnt from.
        """
        steps = -(-len(order) // self.setup.batch_size)
        rates = np.full(steps, hyperparameters.learning_rate, np.float32)
        if factors is not None:
            rates *= factors
        self._set_dropout(hyperparameters.dropout)
        total = self._train(_some(order), tf.constant(rates), tf.constant(hyperparameters.l2, tf.float32))
        return float(total.numpy() * self._scale) / len(order)

    def _set_dropout(self, rate: float | None) -> None:
        for index, variable in self._rates.items():
            variable.assign(self._own_rates[index] if rate is None else rate)

    def precise_batch_norm(self, rows: Rows) -> None:
        """Set batch-norm's moving statistics to those of the images of `rows` under the weights as they are now.

        `rows` are int32 (n,), n ≥ 1, in an order that mixes the labels, as training does: a batch's variance is that
        within it.
        """
        self._recompute(_some(rows))

    def predict(self, images: Images) -> Labels:
        """Return predictions, float32 (n,), for `images`, uint8 (n, H, W, C), which may be any number of any images."""
        predictions: Labels = self._predict(tf.constant(images)).numpy() * self._scale
        return predictions

    def penalised_sum(self) -> float:
        """Return what the penalty's coefficient is multiplied by, of the weights as they are, in the labels' unit."""
        return penalised_sum(self.network, self._learnt()) * float(self._scale)

    def _learnt(self) -> Weights:
        return [variable.numpy() for variable in self._weights]

    def _compile(self) -> None:
        scalar, rows = tf.TensorSpec((), tf.float32), tf.TensorSpec((None,), tf.int32)
        rates, images = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((None, *self.network.input_shape), tf.uint8)
        self._train = tf.function(self._epoch, input_signature=(rows, rates, scalar), autograph=False)
        self._recompute = tf.function(self._population_statistics, input_signature=(rows,), autograph=False)
        self._predict = tf.function(self._predictions, input_signature=(images,), autograph=False)

    def _epoch(self, order: Tensor, rates: Tensor, penalty: Tensor) -> Tensor:
        self.traces += 1  # Python runs here only while TensorFlow traces

        def learn(batch: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            step, total = state
            return step + 1, total + self._step(batch, rates[step], penalty)

        return _over_batches(order, self.setup.batch_size, learn, (0, tf.constant(0.0)))[1]

    def _step(self, rows: Tensor, learning_rate: Tensor, penalty: Tensor) -> Tensor:
        labels = tf.gather(self._labels, rows)
        trainable = self._adam.variables
        seed = tf.stack([self._seed, tf.cast(self._steps, tf.int32) * len(self._operations)])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(trainable)
            run = TrainingPass(self._weights, self._dtype, seed, self._rates)
            errors = tf.abs(run.predict(self._operations, self._seen(rows, seed)) - labels)
            losses = errors
            if run.shares is not None:
                losses += cross_entropy(run.shares, labels, self._weights[-1][:, 0])
            loss = tf.reduce_mean(losses if self._balance is None else losses * tf.gather(self._balance, rows))
        gradients = tape.gradient(loss, trainable, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        self._adam.apply(gradients, self._steps, learning_rate, penalty)
        self._steps.assign_add(1)
        for index, value in run.statistics.items():
            self._weights[index].assign_sub((self._weights[index] - value) * (1 - self.setup.momentum))
        return tf.reduce_sum(errors)

    def _seen(self, rows: Tensor, seed: Tensor) -> Tensor:
        """Return the images of `rows` as training sees them, float32 (B, H, W, C) in [0, 1]."""
        images = scaled(tf.gather(self._images, rows))
        if self.setup.augmentation is None:
            return images
        return distorted(images, seed + tf.constant([1, 0]), self.setup.augmentation)

    def _population_statistics(self, rows: Tensor) -> None:
        """Average the batches' statistics, each batch normalised by its own, weighted by the batches' sizes.

        The images are augmented as in training: layers have learnt from what normalisation made of such images, and
        statistics of plain ones would hand them values they have not seen.
        """
        moving = [i for i, spec in enumerate(self.network.weights) if spec.role in ("moving_mean", "moving_variance")]
        count = tf.cast(tf.size(rows), tf.float32)

        def measure(batch: Tensor, sums: list[Tensor]) -> list[Tensor]:
            seed = tf.stack([self._seed, -1 - batch[0]])
            run = TrainingPass(self._weights, self._dtype, seed, self._rates)
            # Varied as in no training step, whose variations have another first part of the seed.
            run.predict(self._operations, self._seen(batch, seed + tf.constant([2, 0])))
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
