"""What layers lead to: the shape each makes of its input, the weights it has, and the refusal of what cannot work."""

from dataclasses import dataclass
from math import ceil, prod
from typing import Literal, TypeAlias, get_args

from model.errors import ModelError
from model.network.checks import require_count, require_flag, require_one_of, require_rate, require_size
from model.network.layers import (
    BEYOND,
    KINDS,
    Activation,
    Add,
    AveragePool,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Expectation,
    Flatten,
    Layer,
    MaxPool,
    Padding,
    Skip,
    Weigh,
)

Shape: TypeAlias = tuple[int, ...]
Role: TypeAlias = Literal["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "factors", "values"]


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """One array of weights: its name ("conv2d_0/kernel"; the number is the layer's index), shape and role."""

    name: str
    shape: Shape
    role: Role

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def trainable(self) -> bool:
        """Whether the optimiser changes it: everything but batch normalisation's moving statistics and fixed values."""
        return self.role not in ("moving_mean", "moving_variance", "values")

    @property
    def regularised(self) -> bool:
        """Whether the L1 or L2 penalty counts it: kernels and biases, as in the paper."""
        return self.role in ("kernel", "bias")


def output_shape(layer: Layer, input_shape: Shape) -> Shape:
    """Return the shape `layer` makes of `input_shape`, both without the batch.

    Raises ModelError, without naming the layer, where it cannot work.
    """
    match layer:
        case Conv2D():
            return _convolved(layer, input_shape)
        case Dense():
            require_count("units", layer.units)
            _require_activation(layer.activation, layer.units)
            require_flag("batch_norm", layer.batch_norm)
            if len(input_shape) != 1:
                raise ModelError(f"the input is an image of {_text(input_shape)}; put Flatten() before it")
            return (layer.units,)
        case MaxPool() | AveragePool():
            return _pooled(layer, input_shape)
        case Flatten():
            return (prod(input_shape),)
        case Expectation():
            least = 2 * BEYOND + 2
            if len(input_shape) != 1 or input_shape[0] < least:
                raise ModelError(f'the input is {_text(input_shape)}; put Dense(n, "softmax") of n ≥ {least} before it')
            return (1,)
        case Dropout():
            require_rate(layer.rate)
            return input_shape
        case BatchNorm() | Weigh() | Skip() | Add():
            return input_shape
    raise ModelError(f"this is not a layer; use {', '.join(each.__name__ for each in KINDS.values())}")


def weight_specs(layer: Layer, input_shape: Shape) -> tuple[WeightSpec, ...]:
    """List the weights of `layer` on `input_shape`, in the order of the Keras layers `age_model` makes of it.

    Names are without the layer's index ("conv2d/kernel"); `trace` puts it in. Kernels are shaped (height, width,
    channels, filters) and (inputs, units). Assumes that `output_shape` accepts the two.
    """
    match layer:
        case Conv2D():
            kernel = (*layer.kernel_size, input_shape[-1], layer.filters)
            return _kernel_and_bias("conv2d", kernel) + _batch_norm_weights(layer.filters if layer.batch_norm else 0)
        case Dense():
            return _kernel_and_bias("dense", (input_shape[-1], layer.units)) + _batch_norm_weights(
                layer.units if layer.batch_norm else 0
            )
        case BatchNorm():
            return _batch_norm_weights(input_shape[-1])
        case Weigh():
            return (WeightSpec("weigh/kernel", input_shape, "factors"),)
        case Expectation():
            return (WeightSpec("expectation/values", (input_shape[-1], 1), "values"),)
        case _:
            return ()


def _convolved(layer: Conv2D, shape: Shape) -> Shape:
    require_count("filters", layer.filters)
    require_size("kernel", layer.kernel)
    require_one_of("padding", layer.padding, get_args(Padding))
    _require_activation(layer.activation, layer.filters)
    require_flag("batch_norm", layer.batch_norm)
    require_count("stride", layer.stride)
    height, width = _image(shape, "convolved")
    if layer.padding == "same":
        return (ceil(height / layer.stride), ceil(width / layer.stride), layer.filters)
    tall, wide = layer.kernel_size
    if tall > height or wide > width:
        raise ModelError(
            f'the kernel of {tall}×{wide} is larger than the input of {height}×{width}; padding is "valid"'
        )
    return ((height - tall) // layer.stride + 1, (width - wide) // layer.stride + 1, layer.filters)


def _pooled(layer: MaxPool | AveragePool, shape: Shape) -> Shape:
    require_size("size", layer.size)
    (height, width), (tall, wide) = _image(shape, "pooled"), layer.window
    if tall > height or wide > width:
        raise ModelError(f"the input is {height}×{width} and cannot be pooled by {tall}×{wide}")
    return (height // tall, width // wide, shape[-1])


def _kernel_and_bias(kind: str, shape: Shape) -> tuple[WeightSpec, ...]:
    return (WeightSpec(f"{kind}/kernel", shape, "kernel"), WeightSpec(f"{kind}/bias", shape[-1:], "bias"))


def _batch_norm_weights(channels: int) -> tuple[WeightSpec, ...]:
    roles: tuple[Role, ...] = ("gamma", "beta", "moving_mean", "moving_variance") if channels else ()
    return tuple(WeightSpec(f"batch_normalization/{role}", (channels,), role) for role in roles)


def _image(shape: Shape, done: str) -> tuple[int, int]:
    if len(shape) != 3:
        raise ModelError(f"the input is a row of {_text(shape)} values, not an image, and cannot be {done}")
    return shape[0], shape[1]


def _text(shape: Shape) -> str:
    return "×".join(map(str, shape))


def _require_activation(activation: object, units: int) -> None:
    require_one_of("activation", activation, get_args(Activation))
    if activation == "softmax" and units == 1:
        raise ModelError("softmax over a single value always answers 1; use another activation or more of them")
