"""What a network is made of: each kind of layer as a plain value.

Nothing here imports TensorFlow. Keras (`model.results.age_model`) and the training engine both read these descriptions.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

Activation: TypeAlias = Literal["relu", "sigmoid", "softmax", "tanh", "linear"]
Padding: TypeAlias = Literal["valid", "same"]

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
        return _pair(self.kernel)


@dataclass(frozen=True, slots=True)
class Dense:
    """A fully connected layer with a bias, then batch normalisation where asked for, then the activation."""

    kind: ClassVar[str] = "dense"

    units: int
    activation: Activation = "relu"
    batch_norm: bool = False


@dataclass(frozen=True, slots=True)
class MaxPool:
    """The largest of each window; windows do not overlap, and an incomplete one at the edge is dropped.

    `size` is one number or (height, width) in pixels.
    """

    kind: ClassVar[str] = "max_pool"

    size: int | tuple[int, int] = 2

    @property
    def window(self) -> tuple[int, int]:
        """The window's (height, width)."""
        return _pair(self.size)


@dataclass(frozen=True, slots=True)
class AveragePool:
    """The mean of each window; windows do not overlap, and an incomplete one at the edge is dropped.

    `size` is one number or (height, width) in pixels.
    """

    kind: ClassVar[str] = "average_pool"

    size: int | tuple[int, int] = 2

    @property
    def window(self) -> tuple[int, int]:
        """The window's (height, width)."""
        return _pair(self.size)


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
class Weigh:
    """Multiplies every value by a factor of its own, which is learnt from 1 on.

    Before an `AveragePool` over all places it makes the mean a weighted one, with weights for each channel: where
    objects stand at the same place in all images, as in cropped faces, that says what was found where (Chen et al.,
    2018, "MobileFaceNets", section 3.1). No penalty counts the factors, and no decay takes from them.
    """

    kind: ClassVar[str] = "weigh"


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
    (`model.engine.label_distribution`); it comes last.
    """

    kind: ClassVar[str] = "expectation"


Layer: TypeAlias = (
    Conv2D | Dense | MaxPool | AveragePool | BatchNorm | Dropout | Flatten | Weigh | Skip | Add | Expectation
)

KINDS: dict[str, type[Layer]] = {each.kind: each for each in get_args(Layer)}


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
