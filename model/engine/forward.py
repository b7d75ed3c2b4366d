"""The forward pass of a network in plain TensorFlow operations: once for training, once for validation.

Images come as uint8 and are scaled by 1/255 (paper, equation 1). Convolutions run in `dtype`, but for one that sees the
images themselves: of pixels, bfloat16's eight bits keep the brightness and lose the contrast. Dense layers run in
float32 always: they are a hundredth of the work, and an age near 40 needs more than those bits. Batch normalisation is
the fused operation, which Keras 3 does not use and which takes a third of the time; that of a first convolution is done
with it in training, too.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import tensorflow as tf

from model.engine.normalized_convolution import has_small_patches, normalized_convolution
from model.engine.operations import Activate, Convolve, Expect, MatMul, Multiply, Norm, Normalize, Operation
from model.network.layers import BATCH_NORM_EPSILON, Add, AveragePool, Dropout, Flatten, MaxPool, Skip

Tensor: TypeAlias = tf.Tensor


class TrainingPass:
    """One forward pass in training mode.

    Collects in `statistics` the means and variances it normalised by, float32 (C,), under the places in the weights
    that their moving averages have; keeps in `shares` what the last expectation was taken over, (B, values).
    `weights` are float32 tensors in the network's order; `seed` is an int32 (2,) tensor that fixes the dropout masks,
    and `rates` are theirs by the places of their operations, where they are not the layers' own.
    """

    def __init__(
        self, weights: Sequence[Tensor], dtype: tf.DType, seed: Tensor, rates: Mapping[int, Tensor] | None = None
    ) -> None:
        self.weights, self.dtype, self.seed, self.rates = weights, dtype, seed, rates or {}
        self.statistics: dict[int, Tensor] = {}
        self.shares: Tensor | None = None
        self._kept: Tensor | None = None

    def predict(self, operations: Sequence[Operation], images: Tensor) -> Tensor:
        """Return predictions, float32 (B,), for `images`, float32 (B, H, W, C), already scaled to [0, 1]."""
        values, entry = images, entry_of(operations)
        for index, operation in enumerate(operations):
            values = self._run(operation, values, index)
            if index == entry:
                values = _for_convolutions(values, self.dtype)
        return values[:, 0]

    def _run(self, operation: Operation, values: Tensor, index: int) -> Tensor:
        match operation:
            case Convolve(norm=Norm() as norm) if index == 0 and has_small_patches(operation, self.weights):
                output, mean, variance = normalized_convolution(operation, norm, values, self.weights, self.dtype)
                self.statistics |= {norm.mean: mean + self.weights[operation.bias], norm.variance: variance}
                return output
            case Convolve() | MatMul():
                kernel, bias = self.weights[operation.kernel], self.weights[operation.bias]
                if operation.norm:  # its mean takes the bias away again: the bias gets no gradient, and counts below
                    normalized = self._normalized(operation.norm, _linear(operation, values, kernel))
                    self.statistics[operation.norm.mean] += bias
                    return normalized
                return _linear(operation, values, kernel, bias)
            case Normalize():
                return self._normalized(operation.norm, values)
            case Dropout():
                return self._dropped(self.rates.get(index, operation.rate), values, index)
            case Skip():
                self._kept = values
                return values
            case Add():
                return _sum(values, self._kept)
            case Multiply():
                return values * tf.cast(self.weights[operation.factors], values.dtype)
            case Expect():
                self.shares = values
                return tf.matmul(values, self.weights[operation.values])
            case _:
                return _weightless(operation, values)

    def _normalized(self, norm: Norm, values: Tensor) -> Tensor:
        grid = values if values.shape.rank == 4 else values[:, tf.newaxis, tf.newaxis, :]
        output, mean, unbiased, *_ = tf.raw_ops.FusedBatchNormV3(
            x=grid,
            scale=self.weights[norm.gamma],
            offset=self.weights[norm.beta],
            mean=[],
            variance=[],
            epsilon=BATCH_NORM_EPSILON,
            is_training=True,
        )
        count = tf.cast(tf.size(grid) // grid.shape[-1], tf.float32)
        self.statistics |= {norm.mean: mean, norm.variance: unbiased * ((count - 1) / count)}
        return output if values.shape.rank == 4 else output[:, 0, 0, :]

    def _dropped(self, rate: Tensor | float, values: Tensor, index: int) -> Tensor:
        drawn = tf.random.stateless_uniform(tf.shape(values), self.seed + tf.constant([0, index]), dtype=tf.float32)
        kept = tf.cast(drawn >= rate, values.dtype)
        return values * kept / tf.cast(1 - rate, values.dtype)


def folded(operations: Sequence[Operation], weights: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
    """Fold moving statistics and biases into one (kernel, bias) or (scale, offset) for each operation that has weights.

    All float32; `()` for the others.
    """
    return [_folded(operation, weights) for operation in operations]


def inference(
    operations: Sequence[Operation], parameters: Sequence[tuple[Tensor, ...]], images: Tensor, dtype: tf.DType
) -> Tensor:
    """Return predictions, float32 (B,), for `images`, uint8 (B, H, W, C), by the `folded` parameters."""
    values = kept = scaled(images)
    entry = entry_of(operations)
    for index, (operation, own) in enumerate(zip(operations, parameters, strict=True)):
        match operation:
            case Convolve() | MatMul():
                values = _linear(operation, values, *own)
            case Normalize():
                scale, offset = own
                values = values * tf.cast(scale, values.dtype) + tf.cast(offset, values.dtype)
            case Dropout():
                pass
            case Skip():
                kept = values
            case Add():
                values = _sum(values, kept)
            case Multiply():
                values = values * tf.cast(own[0], values.dtype)
            case Expect():
                values = tf.matmul(values, *own)
            case _:
                values = _weightless(operation, values)
        if index == entry:
            values = _for_convolutions(values, dtype)
    return values[:, 0]


def entry_of(operations: Sequence[Operation]) -> int:
    """Return the place of the first operation that mixes or normalises pixels, which sees them as they are."""
    weighing = (Convolve, MatMul, Normalize)
    return next((index for index, operation in enumerate(operations) if isinstance(operation, weighing)), 0)


def scaled(images: Tensor) -> Tensor:
    """Scale uint8 pixels to [0, 1], in float32."""
    return tf.cast(images, tf.float32) * (1 / 255)


def _for_convolutions(values: Tensor, dtype: tf.DType) -> Tensor:
    return tf.cast(values, dtype) if values.shape.rank == 4 else values


def _sum(values: Tensor, kept: Tensor) -> Tensor:
    # Where nothing lies between the two, TensorFlow's rewriting of x + x loses the whole loop over the batches.
    return 2 * values if kept is values else values + tf.cast(kept, values.dtype)


def _folded(operation: Operation, weights: Sequence[Tensor]) -> tuple[Tensor, ...]:
    match operation:
        case Convolve() | MatMul():
            kernel, bias = weights[operation.kernel], weights[operation.bias]
            if operation.norm is None:
                return kernel, bias
            scale, offset = _scale_and_offset(operation.norm, weights)
            return kernel * scale, bias * scale + offset
        case Normalize():
            return _scale_and_offset(operation.norm, weights)
        case Multiply():
            return (weights[operation.factors],)
        case Expect():
            return (weights[operation.values],)
        case _:
            return ()


def _scale_and_offset(norm: Norm, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    scale = weights[norm.gamma] * tf.math.rsqrt(weights[norm.variance] + BATCH_NORM_EPSILON)
    return scale, weights[norm.beta] - weights[norm.mean] * scale


def _linear(operation: Convolve | MatMul, values: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    if isinstance(operation, MatMul):
        values = tf.matmul(tf.cast(values, tf.float32), kernel)
    else:
        values = tf.nn.conv2d(values, tf.cast(kernel, values.dtype), operation.stride, operation.padding.upper())
    return values if bias is None else tf.nn.bias_add(values, tf.cast(bias, values.dtype))


def _weightless(operation: Operation, values: Tensor) -> Tensor:
    match operation:
        case Activate():
            return getattr(tf.nn, operation.activation)(values)
        case MaxPool():
            return tf.nn.max_pool2d(values, operation.window, operation.window, "VALID")
        case AveragePool():
            return tf.nn.avg_pool2d(values, operation.window, operation.window, "VALID")
        case Flatten():
            return tf.reshape(values, (-1, math.prod(values.shape[1:])))
    raise AssertionError(f"{operation!r} has weights")
