import pytest

from search.space.pairs import pairs


def test_pairs_are_read_by_their_names():
    assert pairs("l2=1e-5:1e-3, lr = 0.1") == {"l2": "1e-5:1e-3", "lr": "0.1"}


def test_a_name_that_is_there_twice_is_refused():
    with pytest.raises(ValueError, match="l2 is given twice; keep one of them"):
        pairs("l2=1,lr=2,l2=3")


@pytest.mark.parametrize(("text", "part"), [("l2=1,", "''"), ("", "''"), ("l2=1, =2", "'=2'")])
def test_a_value_without_a_name_is_refused(text, part):
    with pytest.raises(ValueError, match=f"{part} between its commas has no name; write name=value, or leave it out"):
        pairs(text)
