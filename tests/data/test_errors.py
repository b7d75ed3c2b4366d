from data.errors import DatasetError, Rejected, RejectedFilesError


def test_rejected_files_are_one_sentence_and_a_list():
    error = RejectedFilesError("faces.zip", [Rejected("a.jpg", "it is not a JPEG or PNG image")])
    assert isinstance(error, DatasetError)
    assert isinstance(error, ValueError)
    assert str(error) == (
        "1 file of faces.zip cannot be used, mend them or pass --skip-bad: a.jpg: it is not a JPEG or PNG image"
    )
    assert error.rejected[0].name == "a.jpg"
