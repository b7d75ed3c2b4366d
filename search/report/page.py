"""A report as one HTML page that needs nothing else: no network, no script, its images within."""

import base64
import re
import struct

from model.figures.plotting import DOTS_AN_INCH
from search.report.sections import Figure, Listing, Report

OF_THE_PAPER = re.compile(r"paper|paper: .*|.*, paper")
"""The names of rows with the paper's own numbers."""

DOTS_ON_THE_PAGE = 96
"""What a browser takes an inch for."""


def page(report: Report) -> str:
    """Return the page of a report."""
    # Slow to import, and needed by this function alone.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("search.report"), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters["base64"] = lambda picture: base64.b64encode(picture).decode()
    environment.filters["width"] = lambda figure: round(_pixels(figure.picture) * DOTS_ON_THE_PAGE / DOTS_AN_INCH)
    environment.tests["figure"] = lambda part: isinstance(part, Figure)
    environment.tests["listing"] = lambda part: isinstance(part, Listing)
    environment.tests["of_the_paper"] = lambda cell: bool(OF_THE_PAPER.fullmatch(cell))
    return environment.get_template("report.html").render(report=report)


def _pixels(picture: bytes) -> int:
    """Return the width of a PNG: the first number of its first chunk."""
    return int(struct.unpack(">I", picture[16:20])[0])
