"""The paper's own network, as its appendix lists it: VGG-16 with halved filters, for 91×91 grayscale faces."""

from model.layers import Activation, Conv2D, Dense, Flatten, MaxPool
from model.network import Network


def paper_network(output: Activation = "linear") -> Network:
    """Describe the appendix's network: 1,431,905 parameters, 1,429,217 of them trainable.

    Convolutions are 'valid', each with batch normalisation before its ReLU. `output` is the last layer's activation:
    the paper's is "relu", which can die and then answers 0 for good, hence another default.
    """
    return Network(
        layers=(
            *_block(32, 32),
            *_block(64, 64),
            *_block(128, 128, 128),
            Conv2D(256, batch_norm=True),
            Conv2D(512, kernel=1, batch_norm=True),
            MaxPool(),
            Flatten(),
            Dense(256),
            Dense(128),
            Dense(64),
            Dense(1, activation=output),
        ),
    )


def _block(*filters: int) -> tuple[Conv2D | MaxPool, ...]:
    return (*(Conv2D(count, batch_norm=True) for count in filters), MaxPool())
