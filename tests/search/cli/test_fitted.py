import json

import numpy as np
import pytest
from PIL import Image

import model.engine.device
from model.results.evaluation import evaluate
from search.tasks.images.fit_folder import ABOUT, MODEL, STATE


@pytest.fixture
def fitted(tmp_path, monkeypatch):
    """A folder with a model that answers 30, and 31 for the second image, and so on."""

    class FakeModel:
        image_shape = (91, 91, 1)

        def __init__(self, path):
            assert path.name == MODEL

        def predict(self, images):
            assert (images.dtype, images.shape[1:]) == (np.uint8, (91, 91, 1))
            return np.arange(30, 30 + len(images), dtype=np.float32)

    monkeypatch.setattr("model.results.keras_file.KerasFile", FakeModel)
    monkeypatch.setattr(model.engine.device, "configure", lambda threads: threads)
    monkeypatch.setattr(model.engine.device, "configure_for_predictions", lambda: None)
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / MODEL).touch()
    (tmp_path / "fit" / ABOUT).write_text("[dataset]\nunit = 'years'\n")
    return tmp_path / "fit"


@pytest.mark.parametrize(("split", "count"), [("test", 3), ("validation", 4), ("training", 6)])
@pytest.mark.usefixtures("faces")
def test_a_network_is_evaluated_on_a_split(split, count, agesearch, fitted, tmp_path):
    from data.dataset import read_labels

    expected = evaluate(np.arange(30, 30 + count, dtype=np.float32), read_labels(tmp_path / "faces.h5", split))
    ended = agesearch("evaluate", fitted, "--data", "faces.h5", *(() if split == "test" else ("--split", split)))
    assert ended.code == 0
    assert ended.out.startswith(f"{split} MAE {expected.mae:.3f} ± {expected.standard_error:.3f} years over {count} ")
    assert f"always answering the split's own median would score {expected.constant_mae:.2f}\n" in ended.out
    found = json.loads(agesearch("evaluate", fitted, "--data", "faces.h5", "--split", split, "--json").out)
    assert found == {"split": split, "unit": "years", **expected.as_dict()}


@pytest.mark.usefixtures("faces")
def test_the_model_may_be_named_instead_of_its_folder(agesearch, fitted, tmp_path):
    Image.new("L", (20, 20), 99).save(tmp_path / "one.png")
    for words in (("evaluate", fitted), ("predict", fitted)):
        more = ("--data", "faces.h5") if words[0] == "evaluate" else ("one.png",)
        by_model = agesearch(words[0], fitted / MODEL, *more)
        assert (by_model.code, by_model.out) == (0, agesearch(*words, *more).out)


@pytest.mark.usefixtures("faces")
def test_an_unknown_split_is_refused(refused, fitted):
    said = refused("evaluate", fitted, "--data", "faces.h5", "--split", "all")
    assert said == "split is 'all', known are training, validation, test"


@pytest.mark.usefixtures("faces")
def test_a_fit_that_has_not_ended_is_not_evaluated(refused, tmp_path):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / STATE).touch()
    assert "the fit in half has not ended" in refused("evaluate", "half", "--data", "faces.h5")


def test_ages_of_images_of_any_kind_and_size_are_predicted(agesearch, fitted, tmp_path):
    Image.new("RGB", (40, 60), "red").save(tmp_path / "one.png")
    Image.new("L", (200, 100), 99).save(tmp_path / "two.jpg")
    ended = agesearch("predict", fitted, "one.png", "two.jpg")
    assert (ended.code, ended.out) == (0, "image    age (years)\none.png         30.0\ntwo.jpg         31.0\n")
    found = json.loads(agesearch("predict", fitted, "one.png", "two.jpg", "--json").out)
    assert found == [
        {"image": "one.png", "age": 30.0, "unit": "years"}, {"image": "two.jpg", "age": 31.0, "unit": "years"},
    ]  # fmt: skip


def test_a_model_that_says_no_unit_predicts_values_in_none_with_all_digits(agesearch, fitted, tmp_path):
    (fitted / ABOUT).unlink()  # as where the model alone was moved
    Image.new("L", (20, 20), 99).save(tmp_path / "one.png")
    assert agesearch("predict", fitted, "one.png").out == "image    value\none.png     30\n"
    found = json.loads(agesearch("predict", fitted, "one.png", "--json").out)
    assert found == [{"image": "one.png", "value": 30.0, "unit": ""}]


def test_what_was_fitted_in_another_unit_is_predicted_in_it(agesearch, fitted, tmp_path):
    (fitted / ABOUT).write_text("[dataset]\nunit = 'mm'\n")
    Image.new("L", (20, 20), 99).save(tmp_path / "one.png")
    assert agesearch("predict", fitted, "one.png").out == "image    value (mm)\none.png          30\n"
    found = json.loads(agesearch("predict", fitted, "one.png", "--json").out)
    assert found == [{"image": "one.png", "value": 30.0, "unit": "mm"}]


@pytest.mark.parametrize("content", [None, "no picture"])
def test_what_is_no_image_is_refused(content, agesearch, fitted, tmp_path):
    if content:
        (tmp_path / "face.jpg").write_text(content)
    ended = agesearch("predict", fitted, "face.jpg")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("agesearch: face.jpg cannot be ")
    assert len(ended.err.splitlines()) == 1


def test_an_image_that_cannot_be_read_is_named_and_takes_no_other_s_prediction_away(agesearch, fitted, tmp_path):
    for name in ("one.png", "two.png"):
        Image.new("L", (20, 20), 99).save(tmp_path / name)
    (tmp_path / "bad.jpg").write_text("no picture")
    ended = agesearch("predict", fitted, "one.png", "bad.jpg", "none.png", "two.png")
    assert (ended.code, ended.out) == (2, "image    age (years)\none.png         30.0\ntwo.png         31.0\n")
    bad = "bad.jpg cannot be used: it is not a JPEG or PNG image, nor a BMP, GIF, TIFF, WebP or AVIF"
    none = "none.png cannot be read: No such file or directory"
    assert ended.err == f"agesearch: {bad}\nagesearch: {none}\n"
    answered = agesearch("predict", fitted, "one.png", "bad.jpg", "none.png", "two.png", "--json")
    assert (answered.code, answered.err) == (2, ended.err)
    assert json.loads(answered.out) == [
        {"image": "one.png", "age": 30.0, "unit": "years"},
        {"image": "bad.jpg", "error": bad},
        {"image": "none.png", "error": none},
        {"image": "two.png", "age": 31.0, "unit": "years"},
    ]
