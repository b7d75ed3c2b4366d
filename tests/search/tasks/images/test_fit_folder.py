import pytest

from search.errors import SearchError
from search.tasks.images.fit_folder import (
    ABOUT,
    ENSEMBLE,
    MODEL,
    STATE,
    Started,
    begin,
    fit_folder,
    fitted_quantity,
    has_ended,
    members,
    model_file,
    require_fitted_for,
    started_with,
)  # fmt: skip


def test_the_model_of_a_finished_fit_is_found(tmp_path):
    (tmp_path / MODEL).touch()
    assert model_file(tmp_path) == tmp_path / MODEL


def test_the_folder_of_a_fit_may_be_named_by_its_model(tmp_path):
    assert fit_folder(tmp_path) == fit_folder(tmp_path / MODEL) == tmp_path


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


def test_what_a_fit_was_started_with_is_known(tmp_path):
    assert started_with(tmp_path) is None
    (tmp_path / ABOUT).write_text('precision = "bfloat16"\nthreads = 3\n')
    assert started_with(tmp_path) is None  # nothing has come of it that another fit would lose
    (tmp_path / STATE).touch()
    assert started_with(tmp_path) == Started("bfloat16", 3)


def test_an_ensembles_folder_has_a_folder_for_each_member(tmp_path):
    assert members(tmp_path / "single") == begin(tmp_path / "single", 1, "a") == (tmp_path / "single",)
    with pytest.raises(SearchError, match="holds no model"):
        model_file(tmp_path / "many/member-1")
    three = tuple(tmp_path / "many" / f"member-{number}" for number in (1, 2, 3))
    assert begin(tmp_path / "many", 3, "a") == members(tmp_path / "many") == three
    assert begin(tmp_path / "many", 4, "a") == members(tmp_path / "many")  # one more may join
    assert len(members(tmp_path / "many")) == 4
    assert not has_ended(tmp_path / "many")
    with pytest.raises(SearchError, match="has not ended"):
        model_file(tmp_path / "many/member-1")


def test_an_ensemble_has_ended_when_all_its_members_have(tmp_path):
    for folder in begin(tmp_path, 2, "a"):
        assert not has_ended(tmp_path)
        folder.mkdir()
        (folder / MODEL).touch()
    assert has_ended(tmp_path)


def test_a_fit_of_one_network_and_an_ensemble_do_not_share_a_folder(tmp_path):
    (tmp_path / "single").mkdir()
    (tmp_path / "single" / STATE).touch()
    with pytest.raises(SearchError, match="holds a fit of one network; choose another --out"):
        begin(tmp_path / "single", 2, "a")
    (first, _) = begin(tmp_path / "many", 2, "a")
    first.mkdir()
    (first / STATE).touch()
    with pytest.raises(SearchError, match="holds an ensemble; give its --ensemble"):
        begin(tmp_path / "many", 1, "a")


def test_an_ensemble_that_came_to_nothing_leaves_the_folder_to_a_fit_of_one_network(tmp_path):
    begin(tmp_path, 2, "a")
    assert begin(tmp_path, 1, "b") == members(tmp_path) == (tmp_path,)


def test_a_fit_is_judged_on_another_dataset_with_a_remark_and_in_another_unit_not_at_all(tmp_path):
    assert require_fitted_for(tmp_path, "mm", "ab") == ""
    (tmp_path / ABOUT).write_text("[dataset]\nunit = 'mm'\ndigest = 'ab'\n")
    assert require_fitted_for(tmp_path, "mm", "ab") == ""
    assert "was fitted on another dataset (digest ab…)" in require_fitted_for(tmp_path, "mm", "cd")
    with pytest.raises(SearchError, match="predicts values in mm, the dataset has them in kg"):
        require_fitted_for(tmp_path, "kg", "ab")


@pytest.mark.parametrize(("count", "digest"), [(2, "a"), (3, "b"), (4, "b")])
def test_an_ensemble_that_has_begun_does_not_shrink_nor_change_its_fits(tmp_path, count, digest):
    for folder in begin(tmp_path, 3, "a"):
        folder.mkdir()
        (folder / ABOUT).write_text('fingerprint = "a"\n')
        (folder / STATE).touch()
    with pytest.raises(SearchError, match=r"holds an ensemble of (more networks|fits with other settings)"):
        begin(tmp_path, count, digest)
    assert len(members(tmp_path)) == 3
    assert begin(tmp_path, 3, "a") == members(tmp_path)


def test_an_ensemble_of_which_there_is_nothing_yet_may_become_another(tmp_path):
    begin(tmp_path, 30, "a")
    assert begin(tmp_path, 3, "b") == members(tmp_path)


@pytest.mark.parametrize("content", [b"", b"members = 'a'", b"members = [2]", b"\xff"])
def test_a_damaged_description_of_an_ensemble_is_refused(content, tmp_path):
    (tmp_path / ENSEMBLE).write_bytes(content)
    with pytest.raises(SearchError, match="is damaged; remove it, and run the same 'agesearch fit' again"):
        members(tmp_path)


def test_a_model_without_a_unit_predicts_in_none_and_not_ages(tmp_path):
    assert fitted_quantity(tmp_path).unit == ""
    (tmp_path / ABOUT).write_text("[dataset]\nunit = 'mm'\n")
    assert fitted_quantity(tmp_path).unit == "mm"
    (tmp_path / ABOUT).write_text("dataset = 'ab12'\n")
    with pytest.raises(SearchError, match="is damaged"):
        fitted_quantity(tmp_path)


@pytest.mark.parametrize("content", [b"", b"precision = ", b"\xff", b"precision = 'float32'\nthreads = 'two'\n"])
def test_a_damaged_description_of_a_fit_is_refused(content, tmp_path):
    (tmp_path / ABOUT).write_bytes(content)
    (tmp_path / STATE).touch()
    with pytest.raises(SearchError, match=r"is damaged; remove .* to start the fit over"):
        started_with(tmp_path)
