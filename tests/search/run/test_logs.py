import pytest

from search.run.logs import file_name


@pytest.mark.parametrize("text", ["faces", "a b", "..x", "年" * 66])
def test_a_text_that_is_a_files_name_stays_it(text):
    assert file_name(text) == text


@pytest.mark.parametrize(
    ("text", "begins"), [("../x/y", ".._x_y-"), ("..", "..-"), (".", ".-"), ("", "-"), ("年" * 90, "年" * 66 + "-")]
)
def test_any_other_text_makes_one_name_of_a_file(text, begins):
    name = file_name(text)
    assert name.startswith(begins)
    assert len(name) == len(begins) + 8
    assert "/" not in name


def test_no_two_texts_have_the_same_name_of_a_file():
    texts = ["a/b", "a_b", "a", "年" * 66, "年" * 67, "年" * 68, ".", "..", ""]
    assert len({file_name(text) for text in texts}) == len(texts)
