"""The paper's own network, as its appendix lists it, and what its section on architecture varies about it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from model.network.checks import require_count, require_one_of
from model.network.layers import Activation, BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool
from model.network.network import Initializer, Network

Placement: TypeAlias = Literal["convolutions", "blocks", "dense", "none"]
"""Where batch normalisation is: (a) at each convolution before its ReLU, (b) at the end of each block before the
pooling, (c) at each dense layer but the output before its ReLU, or nowhere."""

PAPER_SHAPE = (91, 91, 1)


@dataclass(frozen=True, slots=True)
class PaperVariant:
    """What may be varied: `width` is the filters of the first block, and everything else in proportion.

    `dropout` is the rate after each dense layer but the output and after the last convolution; None is no such layer.
    """

    width: int = 32
    batch_norm: Placement = "convolutions"
    dropout: float | None = None
    initializer: Initializer = "xavier"
    input_shape: tuple[int, int, int] = PAPER_SHAPE

    @property
    def changes_layers(self) -> bool:
        """Whether it is another list of layers than the appendix's."""
        return (self.width, self.batch_norm, self.dropout) != (32, "convolutions", None)


UNVARIED = PaperVariant()


def paper_network(output: Activation = "linear", variant: PaperVariant = UNVARIED) -> Network:
    """Describe the appendix's network: 1,431,905 parameters, 1,429,217 of them trainable, unless it is varied.

    VGG-16 with halved filters, for 91×91 grayscale faces. Convolutions are 'valid', each with batch normalisation
    before its ReLU. `output` is the last layer's activation: the paper's is "relu", which can die and then answers 0
    for good, hence another default. Raises ModelError for a variant that cannot work.
    """
    require_count("width", variant.width)
    require_one_of("batch_norm", variant.batch_norm, get_args(Placement))
    layers = (*_convolutions(variant), Flatten(), *_dense(variant), Dense(1, activation=output))
    return Network(layers, variant.input_shape, variant.initializer)


def _convolutions(variant: PaperVariant) -> Iterator[Layer]:
    one = variant.width
    blocks = ((one, one), (2 * one, 2 * one), (4 * one, 4 * one, 4 * one), (8 * one, 16 * one))
    for block in blocks:
        for filters in block:
            kernel = 1 if filters == 16 * one else 3
            yield Conv2D(filters, kernel, batch_norm=variant.batch_norm == "convolutions")
        if block is blocks[-1]:
            yield from _dropout(variant)
        if variant.batch_norm == "blocks":
            yield BatchNorm()
        yield MaxPool()


def _dense(variant: PaperVariant) -> Iterator[Layer]:
    for units in (8, 4, 2):
        yield Dense(units * variant.width, batch_norm=variant.batch_norm == "dense")
        yield from _dropout(variant)


def _dropout(variant: PaperVariant) -> Iterator[Layer]:
    if variant.dropout is not None:
        yield Dropout(variant.dropout)


def with_dropout(layers: tuple[Layer, ...], rate: float) -> tuple[Layer, ...]:
    """Return `layers` with `rate` in place of the rate of every dropout layer among them."""
    return tuple(replace(layer, rate=rate) if isinstance(layer, Dropout) else layer for layer in layers)
