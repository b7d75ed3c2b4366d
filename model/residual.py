"""What the paper suggests to try next: a residual network of about the same number of parameters."""

from model.layers import Activation, Add, Conv2D, Dense, Flatten, Layer, MaxPool, Skip
from model.network import Network


def residual_network(output: Activation = "linear") -> Network:
    """Describe a network with three residual blocks (He et al., 2016): 1,378,241 parameters, the paper's has 1,431,905.

    The widths are the paper's. A convolution widens the values, then a block of two keeps their shape and adds itself
    to them, without an activation after the sum (Sandler et al., 2018, for the reason: a ReLU would lose half of it).
    `output` is the last layer's activation.
    """
    return Network(
        layers=(
            *_stage(32),
            *_stage(64, padding=True),
            *_stage(128, padding=True),
            Conv2D(256, batch_norm=True),
            Conv2D(128, kernel=1, batch_norm=True),
            MaxPool(),
            Flatten(),
            Dense(256),
            Dense(128),
            Dense(64),
            Dense(1, activation=output),
        ),
    )


def _stage(filters: int, padding: bool = False) -> tuple[Layer, ...]:
    return (
        Conv2D(filters, padding="same" if padding else "valid", batch_norm=True),
        Skip(),
        Conv2D(filters, padding="same", batch_norm=True),
        Conv2D(filters, padding="same", activation="linear", batch_norm=True),
        Add(),
        MaxPool(),
    )
