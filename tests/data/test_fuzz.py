import pytest

from tests.data.fuzz import KINDS, fuzz

CASES = 300


@pytest.mark.parametrize("kind", KINDS)
def test_every_damaged_file_is_refused_in_one_sentence_or_read_correctly(kind):
    answers = fuzz(kind, first=0, count=CASES)
    assert answers.total() == CASES
    assert answers["refused"] > CASES / 10  # else nothing was damaged, and nothing has been shown
