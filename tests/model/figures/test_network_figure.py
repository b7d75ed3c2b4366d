"""The drawing of a network: what is drawn for each layer, and that it is drawn."""

import io

import numpy as np
from PIL import Image

from model.figures.network_figure import COLOURS, Slab, draw_network, slabs
from model.network.layers import Add, AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, Skip, Weigh
from model.network.network import Network
from model.network.paper import paper_network

SMALL = Network((Conv2D(4, batch_norm=True), MaxPool(), Flatten(), Dense(1)), (12, 12, 1))


def colours(picture: bytes) -> set[str]:
    """Return the kinds whose colour can be seen in a picture."""
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    wanted = {kind: [int(colour[place : place + 2], 16) for place in (1, 3, 5)] for kind, colour in COLOURS.items()}
    return {kind for kind, rgb in wanted.items() if (np.abs(pixels - rgb).max(axis=-1) < 4).sum() > 20}


def test_a_convolution_is_drawn_with_its_normalisation_and_its_activation() -> None:
    _, convolution, *_ = slabs(SMALL)
    assert [slab.kind for slab in convolution] == ["2-D convolution", "batch normalisation", "activation"]
    assert convolution[0].words == "3×3\n10×10\n×4"


def test_the_papers_network_is_drawn_layer_by_layer() -> None:
    drawn = slabs(paper_network())
    kinds = [layer[0].kind for layer in drawn]
    assert kinds.count("2-D convolution") == 9
    assert kinds.count("pooling") == 4
    assert kinds[-5:] == ["flatten", *["dense"] * 4]
    assert drawn[0][0].words == "input\n91×91\n×1"
    assert drawn[-6][0].words == "max 2×2\n2×2\n×512"
    # The output is linear: no activation behind it.
    assert len(drawn[-1]) == 1


def test_what_puts_out_more_is_drawn_larger() -> None:
    large, small = Slab("2-D convolution", (89, 89, 32), ""), Slab("2-D convolution", (4, 4, 512), "")
    assert large.height > small.height
    assert large.depth < small.depth
    assert Slab("dense", (256,), "").height > Slab("dense", (64,), "").height


def test_every_kind_of_layer_has_a_colour_in_the_picture() -> None:
    images = (Conv2D(4), Skip(), BatchNorm(), Add(), Weigh(), AveragePool(), MaxPool(), Dropout(0.5))
    layers = (*images, Flatten(), Dense(8), Dense(1, "linear"))
    assert colours(draw_network(Network(layers, (24, 24, 1)))) == set(COLOURS)
    assert colours(draw_network(SMALL)) == set(COLOURS) - {"dropout", "sum with what skipped", "weighing"}


def test_a_skip_itself_is_not_drawn_but_the_sum_is() -> None:
    drawn = slabs(Network((Conv2D(4), Skip(), BatchNorm(), Add(), Flatten(), Dense(1, "linear")), (24, 24, 1)))
    assert [layer[0].kind for layer in drawn][1:4] == [
        "2-D convolution",
        "batch normalisation",
        "sum with what skipped",
    ]


def test_the_papers_network_is_drawn_with_what_is_in_it() -> None:
    assert colours(draw_network(paper_network())) == set(COLOURS) - {"dropout", "sum with what skipped", "weighing"}
