"""A network as a text table, the way the appendix of the paper prints its own; made without TensorFlow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from model.network import layers as kinds
from model.network.layers import Layer
from model.network.network import Network, Step
from model.network.shapes import Shape

_HEADINGS = ("Layer (type)", "Output Shape", "Param #")
_KERAS_TYPES: dict[type[Layer], str] = {
    kinds.Conv2D: "Conv2D",
    kinds.Dense: "Dense",
    kinds.MaxPool: "MaxPooling2D",
    kinds.AveragePool: "AveragePooling2D",
    kinds.BatchNorm: "BatchNormalization",
    kinds.Dropout: "Dropout",
    kinds.Flatten: "Flatten",
    kinds.Add: "Add",
}


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One Keras layer: its name, its Keras type, the shape it puts out (without the batch) and its parameters."""

    name: str
    keras_type: str
    output_shape: Shape
    parameters: int


def summary_rows(network: Network) -> tuple[SummaryRow, ...]:
    """List the Keras layers that `AgeModel` makes of `network`, without input, rescaling and clipping."""
    return tuple(row for step in network.steps for row in step_rows(step))


def summary(network: Network) -> str:
    """Print `network` as a table: layer and type, output shape, parameters; then the totals. Ends without a newline."""
    cells = [_HEADINGS, *(_cells(row) for row in summary_rows(network))]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    lines = [f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {count:>{widths[2]}}" for name, shape, count in cells]
    rule = "-" * len(lines[0])
    trained = network.trainable_parameters
    totals = (
        f"Total params: {network.parameters:,}",
        f"Trainable params: {trained:,}",
        f"Non-trainable params: {network.parameters - trained:,}",
    )
    return "\n".join((lines[0], rule, *lines[1:], rule, *totals))


def step_rows(step: Step) -> Iterator[SummaryRow]:
    """List the Keras layers of one step, named as in "max_pooling2d_3"; a skip has none."""
    layer = step.layer
    if isinstance(layer, kinds.Expectation):
        yield _row(step, "Dense", "expectation")
    elif isinstance(layer, kinds.Weigh):
        yield _row(step, "EinsumDense", "weigh")
    elif not isinstance(layer, kinds.Skip):
        yield _row(step, _KERAS_TYPES[type(layer)])
    if isinstance(layer, kinds.Conv2D | kinds.Dense) and layer.batch_norm:
        yield _row(step, "BatchNormalization")
        yield _row(step, "Activation")


def _row(step: Step, keras_type: str, word: str = "") -> SummaryRow:
    """Make the row of a Keras layer, which is called by its type unless another `word` is given."""
    name = f"{word or re.sub('(?<=[a-z])(?=[A-Z])', '_', keras_type).lower()}_{step.index}"
    counted = sum(spec.size for spec in step.weights if spec.name.startswith(f"{name}/"))
    return SummaryRow(name, keras_type, step.output_shape, counted)


def _cells(row: SummaryRow) -> tuple[str, str, str]:
    shape = ", ".join(("None", *map(str, row.output_shape)))
    return f"{row.name} ({row.keras_type})", f"({shape})", str(row.parameters)
