import pytest

from data.errors import DatasetError, Rejected, RejectedFilesError, counted


def test_rejected_files_are_one_sentence_and_a_list():
    error = RejectedFilesError("faces.zip", [Rejected("a.jpg", "it is not a JPEG or PNG image")])
    assert isinstance(error, DatasetError)
    assert isinstance(error, ValueError)
    assert str(error) == (
        "1 file of faces.zip cannot be used, repair it or pass --skip-bad: a.jpg: it is not a JPEG or PNG image"
    )
    assert error.rejected[0].name == "a.jpg"


def test_of_several_rejected_files_there_is_a_summary_without_their_list():
    error = RejectedFilesError("faces.zip", [Rejected(f"{name}.jpg", "it is empty") for name in "ab"])
    assert error.summary == "2 files of faces.zip cannot be used, repair them or pass --skip-bad"
    assert str(error) == f"{error.summary}: a.jpg: it is empty; b.jpg: it is empty"


@pytest.mark.parametrize(("number", "text"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials")])
def test_one_of_a_thing_is_singular(number, text):
    assert counted(number, "trial") == text
