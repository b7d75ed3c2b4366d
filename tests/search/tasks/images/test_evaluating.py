from types import SimpleNamespace

import numpy as np
import pytest

from search.tasks.images import evaluating
from search.tasks.images.evaluating import evaluate_fit
from tests.search.tiny import write_tiny


@pytest.fixture
def two_networks(monkeypatch):
    """An ensemble of two networks of which the second was the better one on validation."""

    def predict(_folder, images):
        return {
            name: {split: np.full(len(seen), answer, np.float32) for split, seen in images.items()}
            for name, answer in (("member-1", 30.0), ("member-2", 40.0))
        }

    kept = {"member-1": 9.0, "member-2": 8.0}
    monkeypatch.setattr(evaluating, "predict_members", predict)
    monkeypatch.setattr(
        evaluating, "read_fit", lambda path: SimpleNamespace(kept=SimpleNamespace(validation_mae=kept[path.name]))
    )


@pytest.mark.usefixtures("two_networks")
def test_an_ensemble_is_told_with_its_members_and_its_difference_to_the_best_by_validation(tmp_path):
    write_tiny(tmp_path / "faces.h5", (4, 3, 5))
    found = evaluate_fit(tmp_path, tmp_path / "faces.h5", "test")
    assert found.together.best == "member-2"
    assert found.together.difference.pairs == 5
    assert found.lines()[-1].startswith("all together against member-2, the best by validation: difference ")
    assert found.as_dict()["difference"]["pairs"] == 5


@pytest.mark.usefixtures("two_networks")
def test_over_a_single_image_an_ensemble_has_an_error_and_no_difference(tmp_path):
    write_tiny(tmp_path / "faces.h5", (4, 3, 1))
    found = evaluate_fit(tmp_path, tmp_path / "faces.h5", "test")
    assert found.as_dict()["difference"] is None
    assert found.lines()[0].startswith("test MAE ")
    assert found.lines()[-1].startswith("member-2: ")
