"""A whole network as a value: its layers in order, checked one after the other from the shape of an image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias, get_args

from model.errors import ModelError
from model.network.checks import is_count, require_one_of
from model.network.layers import Add, Dense, Expectation, Layer, Skip
from model.network.shapes import Shape, WeightSpec, output_shape, weight_specs

Initializer: TypeAlias = Literal["xavier", "gaussian"]
Regularizer: TypeAlias = Literal["l2", "l1", "none"]

REACHED: Final = {"relu": (0.0, math.inf), "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""The values that an output can have with these activations; with others, any."""

MOST_PARAMETERS = 2**31 - 1
"""What TensorFlow counts to in one array; in float32 with Adam's moments they would take 24 gibibytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One layer in its place: its index from 0, the shapes (without the batch) on both sides, and its weights."""

    index: int
    layer: Layer
    input_shape: Shape
    output_shape: Shape
    weights: tuple[WeightSpec, ...]


def trace(layers: Sequence[Layer], input_shape: Shape) -> tuple[Step, ...]:
    """Walk `layers` from `input_shape` (height, width, channels); one step a layer.

    Raises ModelError for a list that cannot work, naming the layer's index (from 0), the layer and what is wrong.
    """
    if not layers:
        raise ModelError("layers is empty; a network needs at least one layer")
    shape, skipped = _checked_input(input_shape), None
    steps = []
    for index, layer in enumerate(layers):
        try:
            made = output_shape(layer, shape)
            skipped = _skipping(layer, shape, skipped)
        except ModelError as reason:
            raise ModelError(f"layer {index}, {layer!r}: {reason}") from reason
        weights = tuple(_numbered(spec, index) for spec in weight_specs(layer, shape))
        steps.append(Step(index, layer, shape, made, weights))
        shape = made
    if skipped:
        raise ModelError("layers end within a skip; put Add() where what has skipped the layers is to be added")
    return tuple(steps)


def _skipping(layer: Layer, shape: Shape, skipped: Shape | None) -> Shape | None:
    """Return the shape of what skips the layers after `layer`, None where nothing does."""
    match layer:
        case Skip() if skipped:
            raise ModelError("the skip before it has not ended; put Add() between the two")
        case Skip():
            return shape
        case Add() if not skipped:
            raise ModelError("there is nothing to add; put Skip() before the layers that are to be skipped")
        case Add() if shape != skipped:
            raise ModelError(f"the layers make {shape} of the {skipped} that skips them; let them keep the shape")
        case Add():
            return None
    return skipped


@dataclass(frozen=True, slots=True)
class Network:
    """A whole network for regression: layers that end in one number, the shape of an image, initialiser, regulariser.

    `input_shape` is (height, width, channels). Raises ModelError for a description that cannot work.
    """

    layers: tuple[Layer, ...]
    input_shape: tuple[int, int, int] = (91, 91, 1)
    initializer: Initializer = "xavier"
    regularizer: Regularizer = "l2"
    steps: tuple[Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        require_one_of("initializer", self.initializer, get_args(Initializer))
        require_one_of("regularizer", self.regularizer, get_args(Regularizer))
        object.__setattr__(self, "steps", trace(self.layers, self.input_shape))
        _require_one_number(self.layers)
        _require_few_parameters(self.steps)

    @property
    def weights(self) -> tuple[WeightSpec, ...]:
        """All weights, in the order of `keras.Model.weights`."""
        return tuple(spec for step in self.steps for spec in step.weights)

    @property
    def parameters(self) -> int:
        """How many numbers the weights hold, moving statistics included."""
        return sum(spec.size for spec in self.weights)

    @property
    def trainable_parameters(self) -> int:
        """How many numbers the optimiser changes."""
        return sum(spec.size for spec in self.weights if spec.trainable)


def require_reachable(network: Network, low: float, high: float) -> None:
    """Raise ModelError where the output's activation keeps it from labels between `low` and `high`.

    A ReLU whose bias starts at a negative mean would answer 0 for ever.
    """
    activation = getattr(network.layers[-1], "activation", "linear")
    least, most = REACHED.get(activation, (-math.inf, math.inf))
    if low < least or high > most:
        raise ModelError(
            f"the labels are {low:g} to {high:g}, but the last layer's activation {activation!r} answers "
            f"{least:g} to {most:g}; choose a linear one, or another recipe than 'paper', whose output is a ReLU"
        )


def _require_few_parameters(steps: tuple[Step, ...]) -> None:
    """Raise ModelError, naming the layer, where there come to be more parameters than a network may have."""
    parameters = 0
    for step in steps:
        parameters += sum(spec.size for spec in step.weights)
        if parameters > MOST_PARAMETERS:
            raise ModelError(
                f"layer {step.index}, {step.layer!r}: with it the network has more than {MOST_PARAMETERS} parameters, "
                "the limit on their number; make it smaller"
            )


def _require_one_number(layers: tuple[Layer, ...]) -> None:
    match layers:
        case (*others, Dense(activation="softmax"), Expectation()) if Expectation() not in others:
            return
        case (*others, Dense(units=1)) if Expectation() not in others:
            return
    raise ModelError(
        f"layer {len(layers) - 1}, {layers[-1]!r}: a regression must end with Dense(units=1), or with "
        'Dense(units=n, activation="softmax") and the only Expectation()'
    )


def _numbered(spec: WeightSpec, index: int) -> WeightSpec:
    kind, role = spec.name.split("/")
    return replace(spec, name=f"{kind}_{index}/{role}")


def _checked_input(shape: Shape) -> Shape:
    if not isinstance(shape, tuple) or len(shape) != 3 or not all(map(is_count, shape)):
        raise ModelError(f"input_shape is {shape!r}; it must be (height, width, channels), whole numbers of at least 1")
    return shape
