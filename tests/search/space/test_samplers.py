import pytest

from search.errors import SearchError
from search.space import samplers
from search.space.box import Box
from search.space.ranges import Choices
from search.space.samplers import remarks, require_installed, require_samplable
from search.tasks.images.parameters import FIRST_BOX
from tests.integration.fake_study import spec_of

CHOICES = Box((Choices("batch_size", (16, 32)), Choices("width", (32,))))


def test_the_gaussian_process_is_refused_where_pytorch_is_missing(monkeypatch):
    monkeypatch.setattr(samplers, "find_spec", {"torch": None}.__getitem__)
    with pytest.raises(SearchError, match=r"sampler is 'gp', which needs PyTorch.*pip install 'agesearch\[gp\]'"):
        require_installed("gp")
    require_installed("tpe")


def test_a_search_by_it_ends_with_one_sentence_and_no_study_then(refused, faces, tmp_path, monkeypatch):
    monkeypatch.setattr(samplers, "find_spec", {"torch": None}.__getitem__)
    assert "needs PyTorch" in refused("init", "--data", faces, "--sampler", "gp", "--images", 4)
    assert not (tmp_path / "runs" / "study.db").exists()


def test_cma_es_is_refused_for_choices_alone():
    with pytest.raises(SearchError, match="'cmaes', which samples only numbers, and the space has only choices"):
        spec_of(3, sampler="cmaes", box=CHOICES)
    require_samplable("tpe", CHOICES)


def test_what_a_sampler_learns_and_draws_is_told():
    assert list(remarks("sobol", FIRST_BOX)) == []
    (learns,) = remarks("tpe", CHOICES)
    assert "the same seed gives the same search only with one worker" in learns
    _, drawn = remarks("cmaes", Box((*FIRST_BOX.ranges, *CHOICES.ranges)))
    assert drawn == "the sampler cmaes samples only numbers, so batch_size are drawn at random"


def test_status_tells_it(agesearch, faces):
    made = agesearch("init", "--data", faces, "--sampler", "tpe", "--images", 4, "--precision", "float32")
    assert made.out.splitlines()[-1] == next(remarks("tpe", FIRST_BOX))
    assert next(remarks("tpe", FIRST_BOX)) in agesearch("status").out
