from search.report.colours import colour_range
from search.space.score import MINIMIZED


def test_the_colours_of_a_picture_are_those_of_the_dashboard():
    found = colour_range([9.0, *[10.0 + step / 10 for step in range(20)], 5000.0], MINIMIZED)
    assert (found.vmin, found.vmax) == (9.0, 11.8)
