"""What the paper suggests to try next: residual networks of its size in parameters, of a third or twice its work."""

from model.network.layers import (
    Activation,
    Add,
    AveragePool,
    Conv2D,
    Dense,
    Dropout,
    Expectation,
    Flatten,
    Layer,
    MaxPool,
    Skip,
    Weigh,
)
from model.network.network import Network
from model.network.paper import PAPER_SHAPE


def residual_network(output: Activation = "linear") -> Network:
    """Describe a network with three residual blocks (He et al., 2016): 1,464,417 parameters, the paper's has 1,431,905.

    Strides take the place of pooling, so that no convolution but the first sees more than 23×23 places, and an image
    costs 81 million multiplications where the paper's network has 246. A block of two convolutions keeps the shape and
    adds itself to what came in, without an activation after the sum (Sandler et al., 2018, for the reason: a ReLU
    would lose half of it). `output` is the last layer's activation.
    """
    return Network(
        layers=(
            Conv2D(24, 5, "same", batch_norm=True, stride=2),
            *(layer for filters in (48, 96, 160) for layer in _widened(filters, stride=2)),
            Conv2D(64, 1, batch_norm=True),
            Flatten(),
            Dense(256),
            Dense(1, output),
        ),
    )


def pooled_network(output: Activation = "linear", input_shape: tuple[int, int, int] = PAPER_SHAPE) -> Network:
    """Describe a network whose residual blocks lie between poolings as the paper's convolutions do, and end in a mean.

    1,380,513 parameters; an image costs 493 million multiplications, twice the paper's, since its second block sees
    43×43 places. The mean over all places takes the place of the paper's flattened 2,048 values, whose dense layer has
    a third of all its parameters (Lin et al., 2014, "Network In Network"). It is a weighed one, with a factor for each
    place and channel, as the eyes of cropped faces are not where the mouths are. Images have 12 pixels a side at least.
    """
    height, width = (max(1, (side - 4) // 8) for side in input_shape[:2])
    return Network(
        layers=(
            Conv2D(32, 3, batch_norm=True),
            Conv2D(32, 3, batch_norm=True),
            *(layer for filters in (64, 128, 192) for layer in (MaxPool(), *_widened(filters, stride=1))),
            Weigh(),
            AveragePool((height, width)),
            Flatten(),
            Dropout(0.3),
            Dense(1, output),
        ),
        input_shape=input_shape,
    )


def _widened(filters: int, stride: int) -> tuple[Layer, ...]:
    return (
        Conv2D(filters, 3, "same", batch_norm=True, stride=stride),
        Skip(),
        Conv2D(filters, 3, "same", batch_norm=True),
        Conv2D(filters, 3, "same", "linear", batch_norm=True),
        Add(),
    )


def with_expectation(layers: tuple[Layer, ...], values: int) -> tuple[Layer, ...]:
    """Return `layers` with the mean of a distribution over `values` values in place of the single output."""
    return (*layers[:-1], Dense(values, "softmax"), Expectation())
