from dataclasses import replace

import numpy as np
import pytest

from model.errors import ModelError
from search.errors import SearchError
from search.report.declared import Size, experiment_of
from search.report.preparing import prepare_experiment, settings_for
from search.settings.settings import Settings
from search.study.study import load_study
from tests.search.declared_experiments import BY_NAME
from tests.search.tiny import write_tiny


@pytest.fixture
def settings(tmp_path):
    return Settings(storage=f"sqlite:///{tmp_path}/study.db", precision="float32", out=tmp_path / "runs")


@pytest.fixture
def dataset(tmp_path):
    write_tiny(tmp_path / "faces.h5")
    return tmp_path / "faces.h5"


def batch_sizes(size):
    return lambda count: experiment_of(BY_NAME["batch-size"], size, count)


def test_the_study_of_an_experiment_lies_beside_the_search_and_has_its_trials_alone(settings, dataset):
    study = prepare_experiment(settings, dataset, batch_sizes(Size(epochs=2, repeats=2)))
    assert study.name == "age-batch-size"
    assert study.spec.trials == (4,)
    assert study.spec.experiment.variants[0].budget["images"] == 6  # the whole split
    assert study.spec.finalists is None
    assert load_study(study.storage, "age-batch-size").spec == study.spec


def test_the_same_experiment_is_resumed_whatever_the_settings_of_a_search_say(settings, dataset):
    size = batch_sizes(Size(epochs=2))
    first = prepare_experiment(settings, dataset, size)
    search = {"trials": (9,), "images": 500, "learning_rate": (1e-5, 1e-4), "enqueue": "learning_rate=1e-4,l2=1e-3"}
    other = Settings.model_validate({**settings.model_dump(), **search})
    assert prepare_experiment(other, dataset, size).id == first.id


def test_the_experiment_in_another_size_is_another_one(settings, dataset):
    prepare_experiment(settings, dataset, batch_sizes(Size(epochs=2)))
    with pytest.raises(SearchError, match=r"the study 'age-batch-size' was created with .*experiment = "):
        prepare_experiment(settings, dataset, batch_sizes(Size(epochs=3)))


def test_more_images_than_there_are_are_refused_before_there_is_a_study(settings, dataset):
    with pytest.raises(SearchError, match=r"images is 20, but .*faces\.h5 has 6 training images; give --images 6"):
        prepare_experiment(settings, dataset, lambda count: experiment_of(BY_NAME["capacity"], Size(), count))


def test_networks_that_have_no_place_to_be_kept_are_asked_for_before_there_is_a_study(settings, dataset, monkeypatch):
    monkeypatch.setattr("search.report.preparing.artifact_folder", lambda _settings: None)
    length = BY_NAME["training-length"]
    with pytest.raises(SearchError, match=r"training-length keeps networks.*--artifacts"):
        prepare_experiment(settings, dataset, lambda count: experiment_of(length, Size(epochs=2), count))


def test_a_variant_that_is_no_network_for_the_images_is_refused_before_there_is_a_study(settings, dataset):
    def wide(count):
        experiment = batch_sizes(Size())(count)
        variants = (replace(each, params={**each.params, "width": 0}) for each in experiment.variants)
        return replace(experiment, variants=tuple(variants))

    with pytest.raises(ModelError, match="width"):
        prepare_experiment(settings, dataset, wide)


def test_a_variant_whose_recipe_cannot_answer_the_labels_is_refused_before_there_is_a_study(
    settings, dataset, monkeypatch
):
    def papers(count):
        experiment = batch_sizes(Size())(count)
        variants = (replace(each, params={**each.params, "recipe": "paper"}) for each in experiment.variants)
        return replace(experiment, variants=tuple(variants))

    below = np.array([-5, 30], np.float32)
    monkeypatch.setattr("search.report.preparing.read_labels", lambda _dataset, _split: below)
    with pytest.raises(ModelError, match="-5 to 30, but the last layer's activation 'relu' answers 0 to"):
        prepare_experiment(settings, dataset, papers)


def test_workers_are_given_the_name_of_the_experiments_study(settings):
    assert settings_for(settings, "dropout").study == "age-dropout"
