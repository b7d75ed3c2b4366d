import pytest

from search.errors import SearchError
from search.fit.folder import ABOUT, MODEL, STATE, fitted_quantity, model_file, started_precision


def test_the_model_of_a_finished_fit_is_found(tmp_path):
    (tmp_path / MODEL).touch()
    assert model_file(tmp_path) == tmp_path / MODEL


def test_a_fit_that_has_not_ended_is_told_apart_from_a_folder_without_one(tmp_path):
    with pytest.raises(SearchError, match=r"holds no model\.keras; give the folder that 'agesearch fit' wrote"):
        model_file(tmp_path)
    (tmp_path / STATE).touch()
    with pytest.raises(SearchError, match="has not ended; run the same 'agesearch fit' again"):
        model_file(tmp_path)


def test_a_folder_that_is_missing_or_a_file_holds_no_model(tmp_path):
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        with pytest.raises(SearchError, match=f"{name} holds no"):
            model_file(tmp_path / name)


def test_the_precision_of_a_fit_that_was_started_is_known(tmp_path):
    assert started_precision(tmp_path) is None
    (tmp_path / ABOUT).write_text('precision = "bfloat16"\n')
    assert started_precision(tmp_path) == "bfloat16"


def test_a_model_predicts_ages_unless_it_was_fitted_in_another_unit(tmp_path):
    assert fitted_quantity(tmp_path).unit == "years"
    (tmp_path / ABOUT).write_text("[dataset]\nunit = 'mm'\n")
    assert fitted_quantity(tmp_path).unit == "mm"
    (tmp_path / ABOUT).write_text("dataset = 'ab12'\n")
    with pytest.raises(SearchError, match="is damaged"):
        fitted_quantity(tmp_path)


@pytest.mark.parametrize("content", [b"", b"precision = ", b"\xff"])
def test_a_damaged_description_of_a_fit_is_refused(content, tmp_path):
    (tmp_path / ABOUT).write_bytes(content)
    with pytest.raises(SearchError, match=r"is damaged; remove .* to start the fit over"):
        started_precision(tmp_path)
