"""A network as a text table, the way the appendix of the paper prints its own; made without TensorFlow."""

from dataclasses import dataclass

from model.layers import (
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
    Shape,
    Skip,
)
from model.network import Network, Step

_HEADINGS = ("Layer (type)", "Output Shape", "Param #")
_KERAS_TYPES: dict[type[Layer], tuple[str, str]] = {
    Conv2D: ("conv2d", "Conv2D"),
    Dense: ("dense", "Dense"),
    MaxPool: ("max_pooling2d", "MaxPooling2D"),
    AveragePool: ("average_pooling2d", "AveragePooling2D"),
    BatchNorm: ("batch_normalization", "BatchNormalization"),
    Dropout: ("dropout", "Dropout"),
    Flatten: ("flatten", "Flatten"),
    Add: ("add", "Add"),
    Expectation: ("expectation", "Dense"),
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
    return tuple(row for step in network.steps if not isinstance(step.layer, Skip) for row in _rows(step))


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


def _rows(step: Step) -> tuple[SummaryRow, ...]:
    kind, keras_type = _KERAS_TYPES[type(step.layer)]
    own = _row(step, kind, keras_type)
    if isinstance(step.layer, Conv2D | Dense) and step.layer.batch_norm:
        norm = _row(step, "batch_normalization", "BatchNormalization")
        return own, norm, _row(step, "activation", "Activation")
    return (own,)


def _row(step: Step, kind: str, keras_type: str) -> SummaryRow:
    name = f"{kind}_{step.index}"
    counted = sum(spec.size for spec in step.weights if spec.name.startswith(f"{name}/"))
    return SummaryRow(name, keras_type, step.output_shape, counted)


def _cells(row: SummaryRow) -> tuple[str, str, str]:
    shape = ", ".join(("None", *map(str, row.output_shape)))
    return f"{row.name} ({row.keras_type})", f"({shape})", str(row.parameters)
