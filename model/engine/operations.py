"""A network as the few operations that the engine runs: where two layers become one, or change places, it is here.

Two rewritings keep the result and save work. A ReLU before max-pooling is done after it, on a quarter of the values:
the two commute, since ReLU never decreases. And a convolution or dense layer carries the batch normalisation behind
it, so that training can leave out the bias (which is subtracted again with the mean) and validation can fold both
into one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from model.network.layers import (
    Activation,
    Add,
    AveragePool,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Expectation,
    Flatten,
    MaxPool,
    Padding,
    Skip,
    Weigh,
)
from model.network.network import Network, Step


@dataclass(frozen=True, slots=True)
class Norm:
    """Batch normalisation: where its four arrays stand in the network's weights."""

    gamma: int
    beta: int
    mean: int
    variance: int


@dataclass(frozen=True, slots=True)
class Convolve:
    """A convolution, with the normalisation that follows it: indices into the network's weights."""

    kernel: int
    bias: int
    norm: Norm | None
    padding: Padding
    stride: int = 1


@dataclass(frozen=True, slots=True)
class MatMul:
    """A dense layer's matrix product, with the normalisation that follows it: indices into the network's weights."""

    kernel: int
    bias: int
    norm: Norm | None


@dataclass(frozen=True, slots=True)
class Normalize:
    """A batch normalisation of its own."""

    norm: Norm


@dataclass(frozen=True, slots=True)
class Activate:
    """A non-linearity, value by value (softmax: over the last axis)."""

    activation: Activation


@dataclass(frozen=True, slots=True)
class Multiply:
    """The values, each times a factor of its own: the factors' index into the network's weights."""

    factors: int


@dataclass(frozen=True, slots=True)
class Expect:
    """The mean of fixed values by the shares that come in: the values' index into the network's weights."""

    values: int


Kept: TypeAlias = MaxPool | AveragePool | Dropout | Flatten | Skip | Add
"""The layers without weights, which are operations as they are."""

Operation: TypeAlias = Convolve | MatMul | Normalize | Activate | Multiply | Expect | Kept


def operations(network: Network) -> tuple[Operation, ...]:
    """List what the engine runs for `network`, in order."""
    found: list[Operation] = []
    first = 0
    for step in network.steps:
        for operation in _of(step, first):
            _append(found, operation)
        first += len(step.weights)
    return tuple(found)


def _append(found: list[Operation], operation: Operation) -> None:
    if isinstance(operation, MaxPool) and found and found[-1] == Activate("relu"):
        found.insert(-1, operation)
    else:
        found.append(operation)


def _of(step: Step, first: int) -> Iterator[Operation]:
    match step.layer:
        case Conv2D() as layer:
            norm = _norm(first + 2) if layer.batch_norm else None
            yield Convolve(first, first + 1, norm, layer.padding, layer.stride)
            yield from _activate(layer.activation)
        case Dense() as layer:
            yield MatMul(first, first + 1, _norm(first + 2) if layer.batch_norm else None)
            yield from _activate(layer.activation)
        case BatchNorm():
            yield Normalize(_norm(first))
        case Weigh():
            yield Multiply(first)
        case Expectation():
            yield Expect(first)
        case layer:
            yield layer


def _norm(first: int) -> Norm:
    return Norm(first, first + 1, first + 2, first + 3)


def _activate(activation: Activation) -> Iterator[Operation]:
    if activation != "linear":
        yield Activate(activation)
