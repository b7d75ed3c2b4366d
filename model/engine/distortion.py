"""Augmentation in the graph: every image of a batch under a variation of its own, drawn from the step's seed alone."""

import math
from typing import TypeAlias

import tensorflow as tf

from model.engine.setup import Augmentation

Tensor: TypeAlias = tf.Tensor


def distorted(images: Tensor, seed: Tensor, augmentation: Augmentation) -> Tensor:
    """Vary `images`, float32 (B, H, W, C) in [0, 1]; the same `seed`, int32 (2,), gives the same variation.

    Edges are repeated where a moved image leaves a place open; values are kept within [0, 1].
    """
    draws = _Draws(tf.shape(images)[0], seed)
    moved = _moved(images, draws, augmentation)
    lit = _lit(moved, draws, augmentation)
    return _erased(lit, draws, augmentation)


class _Draws:
    """Uniform draws, float32 (B,), each call of a batch from a random stream of its own."""

    def __init__(self, count: Tensor, seed: Tensor) -> None:
        self._count, self._seed, self._calls = count, seed, 0

    def between(self, low: Tensor | float, high: Tensor | float) -> Tensor:
        self._calls += 1
        drawn = tf.random.stateless_uniform((self._count,), self._seed + tf.constant([0, 7919 * self._calls]))
        return low + drawn * (high - low)


def _moved(images: Tensor, draws: _Draws, how: Augmentation) -> Tensor:
    """Rotate, scale, mirror and shift in one bilinear look-up, about the centre of the image."""
    height, width = images.shape[1], images.shape[2]
    angle = draws.between(-1.0, 1.0) * (how.rotation * math.pi / 180)
    size = draws.between(1 - how.scale, 1 + how.scale)
    mirror = tf.where(draws.between(0.0, 1.0) < how.flip, -1.0, 1.0)
    right, down = (draws.between(-how.shift * side, how.shift * side) for side in (width, height))
    # Each pixel (x, y) of the result is looked up at (a·x + b·y + c, d·x + e·y + f).
    a, b = mirror * tf.cos(angle) / size, -mirror * tf.sin(angle) / size
    d, e = tf.sin(angle) / size, tf.cos(angle) / size
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    c = middle_x - a * middle_x - b * middle_y + right
    f = middle_y - d * middle_x - e * middle_y + down
    nothing = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, c, d, e, f, nothing, nothing], axis=1),
        output_shape=tf.constant([height, width]),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _lit(images: Tensor, draws: _Draws, how: Augmentation) -> Tensor:
    """Change the contrast about each image's mean, and its brightness."""
    factor = draws.between(1 - how.contrast, 1 + how.contrast)
    offset = draws.between(-how.brightness, how.brightness)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value((images - mean) * _column(factor) + mean + _column(offset), 0.0, 1.0)


def _erased(images: Tensor, draws: _Draws, how: Augmentation) -> Tensor:
    """Replace one box in a share of the images by the image's mean; a box may hang over the edge."""
    tall, wide = (_side(images.shape[axis], draws, how) for axis in (1, 2))
    chosen = _column(draws.between(0.0, 1.0)) < how.erasing
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.where(chosen & tall[:, :, tf.newaxis, tf.newaxis] & wide[:, tf.newaxis, :, tf.newaxis], mean, images)


def _side(length: int, draws: _Draws, how: Augmentation) -> Tensor:
    """Return which of `length` places along one axis the box covers, bool (B, length)."""
    middle = draws.between(0.0, float(length))
    half = draws.between(how.erased[0] * length, how.erased[1] * length) / 2
    return tf.abs(tf.range(length, dtype=tf.float32) + 0.5 - middle[:, tf.newaxis]) < half[:, tf.newaxis]


def _column(values: Tensor) -> Tensor:
    return values[:, tf.newaxis, tf.newaxis, tf.newaxis]
