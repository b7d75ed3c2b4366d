"""How every figure looks: thin axes without a frame, units on them, colours that the colour-blind can tell apart."""

import io
import warnings
from typing import TYPE_CHECKING, Final

from model.figures.fonts import use_fonts_for_all_letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours, the two that are easiest to tell apart first."""

INK, MUTED, GRID = "#222222", "#6b6b6b", "#e3e3e3"
DOTS_AN_INCH = 160


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of that many inches; needs no display and leaves matplotlib's global state alone."""
    # Slow to import, and needed only where something is drawn.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_AN_INCH, layout="constrained")


def plain(axes: "Axes", x: str, y: str) -> None:
    """Label the axes, and leave them nothing but two lines, small ticks and a faint grid."""
    axes.set_xlabel(literal(x), color=INK)
    axes.set_ylabel(literal(y), color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(which="both", color=MUTED, labelcolor=INK, labelsize=8.5)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def literal(text: str) -> str:
    """Return a user's own word or unit as it is to be drawn: between two dollars matplotlib would take it for TeX."""
    return text.replace("$", r"\$")


def png(figure: "Figure") -> bytes:
    """Return the figure as a PNG: the same drawing gives the same bytes. A letter that no font has is a box."""
    use_fonts_for_all_letters(figure)
    picture = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(picture, format="png", metadata={"Software": "agesearch"})
    return picture.getvalue()
