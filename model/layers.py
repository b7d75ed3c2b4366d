"""What a network is made of, as plain values: layers, and the shapes and weights they lead to.

Nothing here imports TensorFlow. Keras (`model.age_model`) and the training engine both read these descriptions.
"""

from dataclasses import dataclass
from math import ceil, prod
from typing import ClassVar, Literal, TypeAlias, get_args

from model.checks import require_count, require_flag, require_kernel, require_one_of, require_rate
from model.errors import ModelError

Activation: TypeAlias = Literal["relu", "sigmoid", "softmax", "tanh", "linear"]
Padding: TypeAlias = Literal["valid", "same"]
Role: TypeAlias = Literal["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "values"]
Shape: TypeAlias = tuple[int, ...]

GAUSSIAN_STDDEV = 0.05
"""Standard deviation of the Gaussian initialiser; Keras' default for RandomNormal, since the paper names none."""

BATCH_NORM_EPSILON = 1e-3
"""Added to the variance by every batch normalisation; Keras' default, which the paper's model used."""

BEYOND = 6
"""Values of an `Expectation` beyond either end of the labels, whose distributions would be cut off there without."""


@dataclass(frozen=True, slots=True)
class Conv2D:
    """A 2-D convolution with a bias, then batch normalisation where asked for, then the activation.

    `kernel` is one number or (height, width) in pixels, and is kept as the pair; `stride` is in both directions.
    """

    kind: ClassVar[str] = "conv2d"

    filters: int
    kernel: int | tuple[int, int] = 3
    padding: Padding = "valid"
    activation: Activation = "relu"
    batch_norm: bool = False
    stride: int = 1

    def __post_init__(self) -> None:
        if type(self.kernel) is int:
            object.__setattr__(self, "kernel", (self.kernel, self.kernel))

    @property
    def kernel_size(self) -> tuple[int, int]:
        """The kernel's (height, width)."""
        return (self.kernel, self.kernel) if isinstance(self.kernel, int) else self.kernel


@dataclass(frozen=True, slots=True)
class Dense:
    """A fully connected layer with a bias, then batch normalisation where asked for, then the activation."""

    kind: ClassVar[str] = "dense"

    units: int
    activation: Activation = "relu"
    batch_norm: bool = False


@dataclass(frozen=True, slots=True)
class MaxPool:
    """The largest of each size×size window; windows do not overlap, and an incomplete one at the edge is dropped."""

    kind: ClassVar[str] = "max_pool"

    size: int = 2


@dataclass(frozen=True, slots=True)
class AveragePool:
    """The mean of each size×size window; windows do not overlap, and an incomplete one at the edge is dropped."""

    kind: ClassVar[str] = "average_pool"

    size: int = 2


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """Batch normalisation over the last axis as a layer of its own, after the activation of the one before."""

    kind: ClassVar[str] = "batch_norm"


@dataclass(frozen=True, slots=True)
class Dropout:
    """Sets a share `rate` of the values, 0 ≤ rate < 1, to zero in training and scales the others by 1/(1-rate)."""

    kind: ClassVar[str] = "dropout"

    rate: float


@dataclass(frozen=True, slots=True)
class Flatten:
    """Turns (height, width, channels) into one row of height·width·channels values, row by row."""

    kind: ClassVar[str] = "flatten"


@dataclass(frozen=True, slots=True)
class Skip:
    """From here a copy of the values skips the layers up to the next `Add` (He et al., 2016)."""

    kind: ClassVar[str] = "skip"


@dataclass(frozen=True, slots=True)
class Add:
    """Adds the values that have skipped the layers since the last `Skip`; their shape must still be the same."""

    kind: ClassVar[str] = "add"


@dataclass(frozen=True, slots=True)
class Expectation:
    """Takes a row of shares, as softmax makes it, for how likely each of as many values is, and gives the values' mean.

    The values are spread evenly over the training labels, six of them beyond either end, and stay so
    (`model.label_distribution`); it comes last.
    """

    kind: ClassVar[str] = "expectation"


Layer: TypeAlias = Conv2D | Dense | MaxPool | AveragePool | BatchNorm | Dropout | Flatten | Skip | Add | Expectation

KINDS: dict[str, type[Layer]] = {each.kind: each for each in get_args(Layer)}


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
            return _pooled(layer.size, input_shape)
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
        case BatchNorm() | Skip() | Add():
            return input_shape
    raise ModelError(f"this is not a layer; use {', '.join(each.__name__ for each in KINDS.values())}")


def weight_specs(layer: Layer, input_shape: Shape) -> tuple[WeightSpec, ...]:
    """List the weights of `layer` on `input_shape`, in the order of the Keras layers `model.age_model` makes of it.

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
        case Expectation():
            return (WeightSpec("expectation/values", (input_shape[-1], 1), "values"),)
        case _:
            return ()


def _convolved(layer: Conv2D, shape: Shape) -> Shape:
    require_count("filters", layer.filters)
    require_kernel(layer.kernel)
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


def _pooled(size: int, shape: Shape) -> Shape:
    require_count("size", size)
    height, width = _image(shape, "pooled")
    if size > min(height, width):
        raise ModelError(f"the input is {height}×{width} and cannot be pooled by {size}")
    return (height // size, width // size, shape[-1])


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
