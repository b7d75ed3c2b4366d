"""Keras models from descriptions: what is exported, and what trains where Keras itself is wanted."""

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from model.errors import ModelError
from model.network import layers as kinds
from model.network.layers import BATCH_NORM_EPSILON, GAUSSIAN_STDDEV, Skip
from model.network.network import Network, Step
from model.network.summary import step_rows

if TYPE_CHECKING:
    import keras


class AgeModel:
    """A network for regression, built as a Keras model from a list of layer descriptions (the paper's class)."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def build(
        self,
        rescale: bool,
        regularization: float = 0.0,
        momentum: float = 0.99,
        clip: tuple[float, float] | None = None,
        test_time_augmentation: bool = False,
    ) -> "keras.Model":
        """Build a functional model of stock Keras layers alone, so that its `.keras` file loads without this package.

        In: (batch, height, width, channels), pixels 0–255 of any type with `rescale`, else pixels already divided by
        255. Out: (batch, 1) float32, held between `clip`'s two values where given; with `test_time_augmentation` the
        mean over an image and its mirror image. Its weights are `network.weights`, in that order, freshly drawn by
        Keras' initialisers; `set_weights(initial_weights(...))` repeats a draw. `regularization` is the factor of the
        network's regulariser on kernels and biases; `momentum` that of batch normalisation. Raises ModelError for a
        factor, a momentum or limits that make no sense. Loads TensorFlow.
        """
        self._check(regularization, momentum, clip)
        import keras

        maker = _LayerMaker(self.network, regularization, momentum)
        inputs = keras.Input(self.network.input_shape, name="image")
        values = keras.layers.Rescaling(1 / 255, name="rescaling")(inputs) if rescale else inputs
        layers = [layer for step in self.network.steps for layer in maker.keras_layers(step)]
        values = _mirrored(layers, values) if test_time_augmentation else _through(layers, values)
        if clip is not None:
            values = keras.ops.clip(values, *clip)
        return keras.Model(inputs, values, name="age_model")

    def _check(self, regularization: float, momentum: float, clip: tuple[float, float] | None) -> None:
        if not 0 <= regularization < inf:
            raise ModelError(f"regularization is {regularization!r}; it must be a finite number of at least 0")
        if regularization > 0 and self.network.regularizer == "none":
            raise ModelError(f'regularization is {regularization!r}, but the network\'s regularizer is "none"; pass 0')
        if not 0 <= momentum < 1:
            raise ModelError(f"momentum is {momentum!r}; it must be at least 0 and below 1")
        if clip is not None and not -inf < clip[0] <= clip[1] < inf:
            raise ModelError(f"clip is {clip!r}; it must be two finite numbers, the larger one last")


class _LayerMaker:
    """Makes the Keras layers of one step, named as in `model.network.summary`."""

    def __init__(self, network: Network, regularization: float, momentum: float) -> None:
        self._network = network
        self._regularization = regularization
        self._momentum = momentum

    def keras_layers(self, step: Step) -> "list[keras.Layer | Skip]":
        import keras

        layer, names = step.layer, [row.name for row in step_rows(step)]
        match layer:
            case kinds.Conv2D() | kinds.Dense():
                return self._weighted(layer, names)
            case kinds.MaxPool() | kinds.AveragePool():
                largest = isinstance(layer, kinds.MaxPool)
                pooling = keras.layers.MaxPooling2D if largest else keras.layers.AveragePooling2D
                return [pooling(layer.window, name=names[0])]
            case kinds.BatchNorm():
                return [self._batch_norm(names[0])]
            case kinds.Dropout():
                return [keras.layers.Dropout(layer.rate, name=names[0])]
            case kinds.Flatten():
                return [keras.layers.Flatten(name=names[0])]
            case Skip():
                return [layer]  # no layer to Keras, which adds up what it is given
            case kinds.Add():
                return [keras.layers.Add(name=names[0])]
            case kinds.Weigh():
                own = "bcd"[: len(step.output_shape)]
                times = f"a{own},{own}->a{own}"
                return [keras.layers.EinsumDense(times, step.output_shape, kernel_initializer="ones", name=names[0])]
            case kinds.Expectation():
                return [keras.layers.Dense(1, use_bias=False, trainable=False, name=names[0])]

    def _weighted(self, layer: kinds.Conv2D | kinds.Dense, names: Sequence[str]) -> "list[keras.Layer]":
        import keras

        own_activation = "linear" if layer.batch_norm else layer.activation
        if isinstance(layer, kinds.Conv2D):
            made = keras.layers.Conv2D(
                layer.filters,
                layer.kernel_size,
                layer.stride,
                layer.padding,
                activation=own_activation,
                name=names[0],
                **self._drawn(),
            )
        else:
            made = keras.layers.Dense(layer.units, activation=own_activation, name=names[0], **self._drawn())
        if not layer.batch_norm:
            return [made]
        return [made, self._batch_norm(names[1]), keras.layers.Activation(layer.activation, name=names[2])]

    def _batch_norm(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.BatchNormalization(momentum=self._momentum, epsilon=BATCH_NORM_EPSILON, name=name)

    def _drawn(self) -> dict[str, Any]:
        """Make the arguments that convolutions and dense layers share: biases start at 0, and are penalised too."""
        import keras

        gaussian = self._network.initializer == "gaussian"
        normal, uniform = keras.initializers.RandomNormal, keras.initializers.GlorotUniform
        return {
            "kernel_initializer": normal(stddev=GAUSSIAN_STDDEV) if gaussian else uniform(),
            "bias_initializer": "zeros",
            "kernel_regularizer": self._penalty(),
            "bias_regularizer": self._penalty(),
        }

    def _penalty(self) -> "keras.Regularizer | None":
        import keras

        if self._regularization == 0:
            return None
        penalty = keras.regularizers.L1 if self._network.regularizer == "l1" else keras.regularizers.L2
        return penalty(self._regularization)


def _through(layers: "Sequence[keras.Layer | Skip]", values: "keras.KerasTensor") -> "keras.KerasTensor":
    import keras

    skipping = values
    for layer in layers:
        if isinstance(layer, Skip):
            skipping = values
        elif isinstance(layer, keras.layers.Add):
            values = layer([values, skipping])
        else:
            values = layer(values)
    return values


def _mirrored(layers: "Sequence[keras.Layer | Skip]", images: "keras.KerasTensor") -> "keras.KerasTensor":
    """Average what the same layers make of the images and of their mirror images (the axis of the width reversed)."""
    import keras

    answers = [_through(layers, seen) for seen in (images, keras.ops.flip(images, axis=2))]
    return keras.layers.Average(name="average")(answers)
