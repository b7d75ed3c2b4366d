"""The first convolution with its batch normalisation in one: the statistics come from the images, not from its output.

A convolution answers each patch p of an image with w·p, so that over a batch the mean of its answers is w·E[p], and
their variance w·Cov[p]·w. A patch of the paper's images has nine pixels where the output has 32 values: measuring its
moments takes a fifth of the time in which the output would be normalised, and the gradient taken back through that. So
the kernel is scaled and a shift added, and the output comes normalised; the same but for rounding. A step of the
paper's network takes 6 % less time by it (AMX, bfloat16).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import tensorflow as tf

from model.engine.operations import Convolve, Norm
from model.network.layers import BATCH_NORM_EPSILON

Tensor: TypeAlias = tf.Tensor


def has_small_patches(operation: Convolve, weights: Sequence[Tensor]) -> bool:
    """Whether `operation`, over images, is faster done here: patches have far fewer values than they get answers.

    Measured on a CPU: with 9 values for 32 answers it takes two thirds of the time, with 27 for 32 a third more.
    """
    height, width, channels, filters = weights[operation.kernel].shape
    return bool(operation.stride == 1 and 3 * height * width * channels < filters)


def normalized_convolution(
    operation: Convolve, norm: Norm, pixels: Tensor, weights: Sequence[Tensor], dtype: tf.DType
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the output of `operation` as `norm` normalises it, and the mean and the variance that it has before.

    `pixels`, float32 (B, H, W, C), get no gradient. The output is of `dtype`; mean and variance are float32 (K,), and
    the mean is without the bias. The stride is 1.
    """
    kernel = weights[operation.kernel]
    size = kernel.shape[:2]
    if operation.padding == "same":
        pixels = _padded(pixels, size)
    # Around their mean, so that neither the variance nor bfloat16's eight bits go to what all pixels share.
    shared = tf.reduce_mean(pixels)
    centred = tf.cast(pixels - shared, dtype)
    moments = patch_moments(tf.cast(centred, tf.float32), size)
    variance = moments.variance_under(kernel)
    scaled = tf.cast(kernel * weights[norm.gamma] * tf.math.rsqrt(variance + BATCH_NORM_EPSILON), dtype)
    shift = tf.cast(weights[norm.beta] - moments.mean_under(scaled), dtype)
    mean = moments.mean_under(kernel) + shared * tf.reduce_sum(kernel, axis=(0, 1, 2))
    return _shifted(centred, scaled, shift), mean, variance


@dataclass(frozen=True, slots=True)
class PatchMoments:
    """The mean, float32 (P,), and the covariance, float32 (P, P), of the patches of a batch, P values each."""

    mean: Tensor
    covariance: Tensor

    def mean_under(self, kernel: Tensor) -> Tensor:
        """Return the mean of what `kernel`, (h, w, C, K), answers: float32 (K,)."""
        return tf.linalg.matvec(_flat(kernel), self.mean, transpose_a=True)

    def variance_under(self, kernel: Tensor) -> Tensor:
        """Return the variance of what `kernel`, (h, w, C, K), answers: float32 (K,)."""
        columns = _flat(kernel)
        # Of patches that hardly differ, under large kernels, rounding alone can make it less than nothing.
        return tf.maximum(tf.reduce_sum(columns * tf.matmul(self.covariance, columns), axis=0), 0.0)


def patch_moments(images: Tensor, size: tuple[int, int]) -> PatchMoments:
    """Measure the patches of `size` within `images`, float32 (B, H, W, C), whose mean should be near 0."""
    height, width = size
    rows, columns = (side - own + 1 for side, own in zip(images.shape[1:3], size, strict=True))
    # Slices that are stacked: TensorFlow's own operation for patches takes ten times as long.
    pixels = [
        images[:, top : top + rows, left : left + columns, channel]
        for top in range(height)
        for left in range(width)
        for channel in range(images.shape[3])
    ]
    values = tf.reshape(tf.stack(pixels), (len(pixels), -1))
    mean = tf.reduce_mean(values, axis=1)
    products = tf.matmul(values, values, transpose_b=True) / tf.cast(tf.shape(values)[1], tf.float32)
    return PatchMoments(mean, products - mean[:, tf.newaxis] * mean)


def _padded(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Surround `images`, (B, H, W, C), with the zeros that padding "same" gives a convolution of `size`.

    Of an odd number, one more comes after than before, as in TensorFlow's own.
    """
    around = [(0, 0), *(((own - 1) // 2, own // 2) for own in size), (0, 0)]
    return tf.pad(images, around)


def _shifted(images: Tensor, kernel: Tensor, shift: Tensor) -> Tensor:
    """Convolve `images` with `kernel` and add `shift`, (K,).

    The gradient of the shift comes with the kernel's, as that of one more value of each patch, which is 1: summing the
    output's gradient by itself takes longer than that convolution.
    """
    height, width, channels, filters = kernel.shape
    how = {"strides": [1, 1, 1, 1], "padding": "VALID"}

    def convolve(kernel: Tensor, shift: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, Tensor]]]:
        def gradients(upstream: Tensor) -> tuple[Tensor, Tensor]:
            with_ones = tf.concat([images, tf.ones_like(images[..., :1])], axis=-1)
            both = tf.raw_ops.Conv2DBackpropFilter(
                input=with_ones, filter_sizes=(height, width, channels + 1, filters), out_backprop=upstream, **how
            )
            return both[:, :, :channels], both[0, 0, channels]

        return tf.nn.bias_add(tf.nn.conv2d(images, kernel, **how), shift), gradients

    return tf.custom_gradient(convolve)(kernel, shift)


def _flat(kernel: Tensor) -> Tensor:
    return tf.reshape(tf.cast(kernel, tf.float32), (-1, kernel.shape[-1]))
