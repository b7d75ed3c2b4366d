"""How every figure looks: thin axes without a frame, units on them, colours that the colour-blind can tell apart.

Letters that its own font lacks, as those of a unit in Chinese, come from another font of this machine.
"""

import io
import logging
import warnings
from collections.abc import Set
from functools import cache
from typing import TYPE_CHECKING, Final

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


if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontEntry

_log = logging.getLogger(__name__)


def use_fonts_for_all_letters(figure: "Figure") -> None:
    """Give each text of the figure a font that has its letters; report those that no font has, which become boxes."""
    from matplotlib.font_manager import findfont
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text)  # noqa: S101 - what was asked for
        own = _letters(findfont(text.get_fontproperties()))
        if missing := frozenset(filter(str.isprintable, text.get_text())) - own:
            name = _font_with(missing)
            if name:
                text.set_fontfamily([*text.get_fontfamily(), name])


@cache
def _font_with(letters: Set[str]) -> str:
    """Return the name of a font on this machine that has the letters; "" and a remark if there is none."""
    for font in sorted(_installed(), key=lambda font: (font.weight != 400, font.style != "normal", font.name)):
        if not font.name.startswith("Last Resort") and letters <= _letters(font.fname):  # which has boxes for all
            return font.name
    shown = "".join(sorted(letters))
    _log.warning("no font on this machine has %s: figures show boxes; install one, such as Noto Sans CJK", shown)
    return ""


def _installed() -> "list[FontEntry]":
    from matplotlib.font_manager import fontManager

    return fontManager.ttflist


@cache
def _letters(path: str) -> frozenset[str]:
    from matplotlib.ft2font import FT2Font

    return frozenset(map(chr, FT2Font(path).get_charmap()))
