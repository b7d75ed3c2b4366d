import pytest

from data.counting import counted


@pytest.mark.parametrize(("number", "text"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials")])
def test_one_of_a_thing_is_singular(number, text):
    assert counted(number, "trial") == text
