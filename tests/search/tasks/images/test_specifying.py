import pytest

from data.dataset import inspect_dataset
from search.errors import SearchError
from search.settings.sources import load_settings
from search.tasks.images.specifying import spec_of, spec_to_resume
from search.tasks.working import prepare_study
from tests.search.tiny import write_tiny

MADE = {
    "images": "5", "seed": "7", "trials": "3,2", "learning_rate": "1e-5:1e-4", "finalists": "2", "finalist_images": "4",
    "space": "dropout=linear:0:0.5,batch_size=16|32", "ranges": "l2=1e-5:1e-3", "enqueue": "dropout=0.25",
    "sampler": "sobol", "threads": "2",
}  # fmt: skip


@pytest.fixture
def settings_of(tmp_path):
    write_tiny(tmp_path / "faces.h5")
    base = {
        "data": str(tmp_path / "faces.h5"),
        "storage": f"sqlite:///{tmp_path}/study.db",
        "out": str(tmp_path / "runs"),
        "precision": "float32",
    }

    def load(flags):
        return load_settings(tmp_path / "none.toml", {**base, **flags})

    (tmp_path / "none.toml").write_text("")
    return load


@pytest.mark.parametrize("given", [{}, *({name: value} for name, value in MADE.items())])
def test_a_study_is_resumed_by_whatever_part_of_its_settings_is_given(given, settings_of):
    made = prepare_study(settings_of(MADE))
    assert prepare_study(settings_of(given)).spec == made.spec


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"seed": "8"}, "seed = 7, you asked for seed = 8;"),
        ({"l2": "1e-4:1"}, "box = "),
        ({"ranges": "learning_rate=1e-5:1e-4"}, "ranges = "),
        ({"finalists": "3"}, "finalists = 2 × 3 (4 images, 5 epochs), you asked for finalists = 3 × 3 (4 images, "),
        ({"enqueue": "dropout=0.5"}, "enqueued = "),
        ({"recipe": "paper"}, "recipe = default, you asked for recipe = paper"),
    ],
)
def test_what_is_given_and_is_otherwise_is_refused_and_nothing_else_named(given, field, settings_of):
    prepare_study(settings_of(MADE))
    with pytest.raises(SearchError) as refused:
        prepare_study(settings_of(given))
    assert f"was created with {field}" in str(refused.value)
    assert str(refused.value).count("you asked for") == 1


def test_a_learning_rate_that_was_in_the_space_may_be_asked_for_by_itself_which_is_a_difference(settings_of, tmp_path):
    info = inspect_dataset(tmp_path / "faces.h5")
    stored = spec_of(settings_of({"space": "learning_rate=1e-4,dropout=0.25"}), info, "float32")
    asked = spec_to_resume(settings_of({"learning_rate": "1e-5:1e-3"}), info, "float32", stored)
    assert [each.name for each in asked.box.ranges] == [each.name for each in stored.box.ranges]
    assert asked != stored


def test_a_learning_rate_that_is_asked_for_in_the_space_is_not_given_twice(settings_of, tmp_path):
    info = inspect_dataset(tmp_path / "faces.h5")
    stored = spec_of(settings_of({}), info, "float32")
    asked = spec_to_resume(settings_of({"space": "learning_rate=log:1e-6:1e-3"}), info, "float32", stored)
    assert asked == stored
