"""Letters that the figures' own font lacks, as those of a unit in Chinese: another font here may have them."""

import logging
from collections.abc import Set
from functools import cache
from typing import TYPE_CHECKING

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
