import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.tasks.images.learning_curve import HEIGHT, WIDTH, draw_curve

SVG = "{http://www.w3.org/2000/svg}"
errors = st.floats(0, 1e6, allow_subnormal=False)


def parts(picture, name):
    return list(ElementTree.fromstring(picture).iter(SVG + name))  # noqa: S314  (our own picture)


def texts(picture):
    return [part.text for part in parts(picture, "text")]


def test_each_epoch_is_a_point_and_the_ends_are_written_out():
    picture = draw_curve({1: 24.0, 2: 16.0, 3: 12.0}, 13.456, "stage 1, slot 2", "MAE (mm)")
    points = [tuple(map(float, pair.split(","))) for pair in parts(picture, "polyline")[0].get("points").split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    heights = [y for _, y in points]
    assert heights[1] - heights[0] == pytest.approx(2 * (heights[2] - heights[1]), abs=0.2)
    assert {"stage 1, slot 2", "training 12.00", "validation 13.46", "1", "2", "3"} <= set(texts(picture))


def test_a_diverged_trial_has_no_validation_error_to_show():
    assert not any(
        "validation " in text and "." in text for text in texts(draw_curve({1: 24.0}, None, "t", "MAE (mm)"))
    )


def test_labels_do_not_cover_each_other():
    picture = draw_curve({1: 20.0, 2: 10.0}, 10.0, "t", "MAE (mm)")
    ends = [float(part.get("y")) for part in parts(picture, "text") if re.match(r"(training|validation) \d", part.text)]
    assert abs(ends[0] - ends[1]) >= 15


def test_many_epochs_are_not_all_numbered():
    numbers = [
        text for text in texts(draw_curve(dict.fromkeys(range(1, 101), 9.0), 9.0, "t", "MAE (mm)")) if text.isdecimal()
    ]
    assert 5 <= len(numbers) <= 20


def test_a_title_cannot_break_the_picture():
    assert "a<b>&c" in texts(draw_curve({1: 1.0}, 1.0, "a<b>&c", "MAE (mm)"))


@given(st.dictionaries(st.integers(1, 50), errors, min_size=1, max_size=8), st.none() | errors)
def test_whatever_the_errors_everything_lies_on_the_picture(training, validation):
    picture = draw_curve(training, validation, "t", "MAE (mm)")
    for dot in parts(picture, "circle"):
        assert 0 <= float(dot.get("cx")) <= WIDTH
        assert 0 <= float(dot.get("cy")) <= HEIGHT
