import pytest

from data.errors import DatasetError
from data.options import BuildOptions, stored_options, stored_unit

DEEP = "[" * 16_000
"""Not as long as a file's text may be, and deeper than Python's own stack."""

NO_SEED = BuildOptions().as_json("crops").replace('"seed": 0', '"seed": 1e999')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": (0, 91)}, "image_size is"),
        ({"image_size": (91, 5000)}, "image_size is"),
        ({"min_age": 5, "max_age": 4}, "ages are 5 to 4"),
        ({"min_age": -1}, "ages are -1"),
        ({"max_age": 151}, "ages are 1 to 151"),
        ({"seed": -1}, "seed is -1"),
        ({"channels": 2}, "channels is 2, expected 1 .gray. or 3 .colour."),
        ({"unit": "a\nb"}, "unit is 'a"),
        ({"sizes": (1, 1, 0)}, "sizes are"),
        ({"sizes": (10**6, 1, 1)}, "sizes are"),
    ],
)
def test_a_setting_that_cannot_work_is_named(change, message):
    with pytest.raises(DatasetError, match=message):
        BuildOptions(**change)


def test_settings_survive_being_stored():
    options = BuildOptions(image_size=(32, 48), min_age=2, max_age=70, seed=9, skip_bad=True, sizes=(3, 2, 1))
    assert stored_options(options.as_json("crops")) == ("crops", options)
    options = BuildOptions(channels=3, unit="digits")
    assert stored_options(options.as_json("table")) == ("table", options)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("{}", "years"),
        ("", "years"),
        ("[]", "years"),
        (DEEP, "years"),
        ('{"unit": ""}', ""),
        ('{"unit": "mm"}', "mm"),
    ],
)
def test_the_unit_of_the_labels_is_read_and_is_years_where_none_is_stored(text, unit):
    assert stored_unit(text) == unit


@pytest.mark.parametrize("text", ['{"unit": 3}', '{"unit": "a\\u001b[2J"}', '{"unit": "%s"}' % ("x" * 99)])
def test_a_unit_that_is_none_is_refused(text):
    with pytest.raises(DatasetError, match="unit of labels is"):
        stored_unit(text)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"image_size": 3}', DEEP, NO_SEED])
def test_stored_text_that_is_something_else_is_refused(text):
    with pytest.raises(DatasetError, match="stored build settings cannot be used"):
        stored_options(text)
