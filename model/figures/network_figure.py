"""The architecture as a drawing (paper, Figure 4): a slab for each operation, as large as its output."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

from model.figures.plotting import INK, MUTED, new_figure, png
from model.network import layers as kinds
from model.network.layers import Layer
from model.network.network import Network
from model.network.shapes import Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = {
    "input": "#f2f2f2",
    "2-D convolution": "#E69F00",
    "batch normalisation": "#56B4E9",
    "activation": "#009E73",
    "pooling": "#CC79A7",
    "weighing": "#8C564B",
    "dropout": "#F0E442",
    "flatten": "#bdbdbd",
    "sum with what skipped": "#D55E00",
    "dense": "#0072B2",
}
LEAN = 0.35
"""How far a slab reaches back, as a share of its height."""

GAP, LEAST_STEP = 0.3, 0.85
"""Between two layers, and from one's front to the next one's, so that the words below have room."""

LETTERS, ROOMY = 7.0, 20
"""The words' size in points, and of how many layers they have room in that size."""

LEGEND_WIDTH = 1.3
"""Inches of the legend's longest entry."""

WIDEST = 9.6
"""Inches; what a page shows without making the words too small to read."""


@dataclass(frozen=True, slots=True)
class Slab:
    """One operation: its kind, the shape it puts out, and the words below it (the last one of a layer has some)."""

    kind: str
    shape: Shape
    words: str

    @property
    def height(self) -> float:
        """The side of its images, or the units of a row: as square roots, so that 91 and 2 are both seen."""
        return 0.36 * sqrt(self.shape[0]) if len(self.shape) == 3 else 0.07 * sqrt(self.shape[0])

    @property
    def depth(self) -> float:
        """Its thickness, by the number of its channels; what changes no number of them is a thin sheet."""
        return 0.035 * sqrt(self.shape[-1]) if self.kind == "2-D convolution" else 0.1


def slabs(network: Network) -> tuple[tuple[Slab, ...], ...]:
    """List what is drawn for the input and for each layer of `network`, in their order."""
    given = (Slab("input", network.input_shape, f"input\n{_shape(network.input_shape)}"),)
    drawn = (step for step in network.steps if not isinstance(step.layer, kinds.Skip))
    return (given, *(tuple(_slabs(step.layer, step.output_shape)) for step in drawn))


def draw_network(network: Network) -> bytes:
    """Draw `network` from left to right as a PNG, with a legend, and the layers' sizes in words and numbers."""
    from matplotlib.patches import Patch

    layers = slabs(network)
    left, size = 0.0, LETTERS * min(1.0, ROOMY / len(layers))
    width = min(WIDEST, 1.4 + 0.5 * len(layers))
    figure = new_figure(width, 3.1)
    axes = figure.subplots()
    axes.set_aspect("equal")
    axes.axis("off")
    for layer in layers:
        left = max(_draw_layer(axes, layer, left, size) + GAP, left + LEAST_STEP)
    drawn = {slab.kind for layer in layers for slab in layer}
    patches = [Patch(facecolor=colour, edgecolor=INK, label=kind) for kind, colour in COLOURS.items() if kind in drawn]
    columns = min(len(patches), int(width / LEGEND_WIDTH))
    figure.legend(handles=patches, loc="outside upper center", ncols=columns, frameon=False, fontsize=8)
    axes.autoscale_view()
    return png(figure)


def _slabs(layer: Layer, shape: Shape) -> Iterator[Slab]:
    kind, words = _described(layer, shape)
    yield Slab(kind, shape, words)
    if isinstance(layer, kinds.Conv2D | kinds.Dense):
        if layer.batch_norm:
            yield Slab("batch normalisation", shape, "")
        if layer.activation != "linear":
            yield Slab("activation", shape, "")


def _described(layer: Layer, shape: Shape) -> tuple[str, str]:
    match layer:
        case kinds.Conv2D():
            every = f" /{layer.stride}" if layer.stride > 1 else ""
            return "2-D convolution", f"{_pixels(layer.kernel_size)}{every}\n{_shape(shape)}"
        case kinds.Dense():
            return "dense", f"dense\n{layer.units}"
        case kinds.MaxPool() | kinds.AveragePool():
            word = "max" if isinstance(layer, kinds.MaxPool) else "mean"
            return "pooling", f"{word} {_pixels(layer.window)}\n{_shape(shape)}"
        case kinds.BatchNorm():
            return "batch normalisation", "norm"
        case kinds.Expectation():
            return "dense", "mean"
        case kinds.Weigh():
            return "weighing", "weigh"
        case kinds.Dropout():
            return "dropout", f"drop\n{layer.rate:.2g}"
        case kinds.Flatten():
            return "flatten", f"flat\n{_shape(shape)}"
        case kinds.Skip() | kinds.Add():
            return "sum with what skipped", f"add\n{_shape(shape)}"


def _draw_layer(axes: "Axes", layer: tuple[Slab, ...], left: float, size: float) -> float:
    """Draw the slabs of a layer one behind the other from `left` on, with words of a size; return where they end."""
    start, lean = left, 0.0
    for slab in layer:
        lean = LEAN * slab.height if len(slab.shape) == 3 else 0.1
        _draw_slab(axes, slab, left, lean)
        left += slab.depth
    base = -0.5 * layer[0].height
    axes.text((start + left) / 2, base - 0.12, layer[0].words, ha="center", va="top", fontsize=size, color=INK)
    return left + 0.55 * lean


def _draw_slab(axes: "Axes", slab: Slab, left: float, lean: float) -> None:
    """Draw a box of three visible faces: front edge `depth` wide, side leaning back, top."""
    from matplotlib.patches import Polygon

    right, bottom, top = left + slab.depth, -0.5 * slab.height, 0.5 * slab.height
    rise = 0.55 * lean
    faces = (
        ([(left, bottom), (right, bottom), (right, top), (left, top)], 0.0),
        ([(right, bottom), (right + lean, bottom + rise), (right + lean, top + rise), (right, top)], 0.14),
        ([(left, top), (right, top), (right + lean, top + rise), (left + lean, top + rise)], -0.25),
    )
    for corners, shade in faces:
        colour = _shaded(COLOURS[slab.kind], shade)
        axes.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor=MUTED, linewidth=0.4))


def _shaded(colour: str, shade: float) -> tuple[float, ...]:
    """Return a colour darkened by a share of it, or lightened where the share is negative."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(part * (1 - shade) if shade >= 0 else part + (1 - part) * -shade for part in parts)


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def _shape(shape: Shape) -> str:
    """Return a shape in words that are narrow: the channels of images on a line of their own."""
    return f"{shape[0]}×{shape[1]}\n×{shape[2]}" if len(shape) == 3 else str(shape[0])
