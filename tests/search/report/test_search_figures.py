import io

import pytest
from PIL import Image

from search.report.search_figures import draw_importances, draw_map, draw_scores, draw_trial_curves
from search.results.search_map import Axis, MapBox, MapTrial, SearchMap
from tests.integration.fake_study import spec_of
from tests.search.tiny import ranked

TASK = spec_of(1).task
AXES = (Axis("learning_rate", "learning rate", log=True), Axis("l2", "L2", log=True))
BOXES = (MapBox(1, (1e-6, 1e-3), (1e-6, 1e1)), MapBox(2, (1e-5, 1e-3), (1e-5, 1e-3)))


def trial(number, error, **params):
    return ranked(number, error, params, 1 + number % 2, (error + 2, error + 1, error))


def trials(count=6, factor=1.0):
    return [trial(n, 10 + factor * n, learning_rate=10 ** (-5 + n / 4), l2=10 ** (-4 + n / 3)) for n in range(count)]


def map_of(count=6, boxes=BOXES, chosen=None):
    those = [MapTrial(n, 1 + n % 2, n, 10 ** (-5 + n / 4), 10 ** (-4 + n / 3), 10 + n, 10 + n) for n in range(count)]
    return SearchMap("age", *AXES, tuple(those), boxes, TASK, chosen=chosen)


def colours(picture):
    with Image.open(io.BytesIO(picture)) as image:
        return {colour for _, colour in image.convert("RGB").getcolors(image.width * image.height)}


def test_the_map_marks_finalists_in_a_colour_of_their_own(monkeypatch):
    monkeypatch.setattr("model.figures.plotting.DOTS_AN_INCH", 120)
    orange = (0xD5, 0x5E, 0x00)
    assert orange in colours(draw_map(map_of(), {2, 3}))
    assert orange not in colours(draw_map(map_of(), ()))


def test_the_strongest_ring_is_around_the_chosen_trial_or_else_the_best(monkeypatch):
    ringed = []
    monkeypatch.setattr(
        "search.report.search_figures._ring", lambda those, _axes, name, **_: ringed.append((those, name))
    )
    for chosen in (None, 3):
        draw_map(map_of(chosen=chosen), {2, 3})
    strongest = [([each.number for each in those], name) for those, name in ringed if name != "finalist"]
    assert strongest == [([0], "best: trial 0"), ([3], "chosen: trial 3")]


def test_the_map_shows_the_boxes():
    assert draw_map(map_of(), ()) != draw_map(map_of(boxes=BOXES[:1]), ())


@pytest.mark.parametrize("draw", [draw_scores, draw_trial_curves])
@pytest.mark.parametrize("count", [1, 6])
def test_trials_are_drawn_however_many_there_are(draw, count):
    assert draw(trials(count), TASK).startswith(b"\x89PNG")


def test_scores_of_very_different_size_get_a_logarithmic_axis():
    # The same picture but for the numbers on its axis, were it not for the logarithm.
    low, high = (draw_scores(trials(3, factor), TASK) for factor in (1e3, 1e6))
    assert low != high


def test_importances_are_drawn_stage_by_stage():
    one = draw_importances({1: {"l2": 0.75, "learning_rate": 0.25}}, TASK)
    two = draw_importances({1: {"l2": 0.75, "learning_rate": 0.25}, 2: {"learning_rate": 0.6, "l2": 0.4}}, TASK)
    assert (0xD5, 0x5E, 0x00) in colours(two) - colours(one)
