from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from search.storage.documents import adapter, from_json, to_json


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    name: str = "a"


def test_the_same_value_gives_the_same_text_whatever_the_order_of_its_fields():
    assert to_json(Point(1.5, "b")) == '{"x": 1.5, "name": "b"}'


def test_what_was_written_is_read_again():
    assert from_json(Point, to_json(Point(0.1))) == Point(0.1)


@pytest.mark.parametrize("text", ["{}", '{"x": "much"}', "no JSON"])
def test_any_other_text_is_refused(text):
    with pytest.raises(ValidationError):
        from_json(Point, text)


def test_what_reads_a_kind_is_made_once():
    assert adapter(Point) is adapter(Point)
