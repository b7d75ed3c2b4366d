import numpy as np
import pytest

from search.report.sections import Table


@pytest.fixture(autouse=True)
def _coarse(coarse):
    """Draw all figures so."""


@pytest.fixture
def fake_model(monkeypatch):
    """Let every fit answer the brightness of an image's first pixel plus what its folder's name ends with."""
    import model.engine.device

    class FakeModel:
        def __init__(self, path):
            self.more = float(path.parent.name.rpartition("-")[2])

        def predict(self, images):
            return (images[:, 0, 0, 0] * 0.3 + self.more).astype(np.float32)

    monkeypatch.setattr("model.results.keras_file.KerasFile", FakeModel)
    monkeypatch.setattr(model.engine.device, "configure_for_predictions", lambda: None)


@pytest.fixture
def table_of():
    """Find the table of that name among a section's parts."""

    def find(section, name):
        (found,) = (part for part in section.parts if isinstance(part, Table) and part.name == name)
        return found

    return find
