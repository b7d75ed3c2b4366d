import pytest

from tests.integration import fake_study
from tests.search.tiny import work_off


@pytest.fixture
def study(tmp_path):
    """A finished study in runs/study.db, where the commands look."""
    (tmp_path / "runs").mkdir()
    study = fake_study.create_or_resume(fake_study.new_storage(tmp_path / "runs"), "age", fake_study.spec_of(3))
    work_off(study)
    yield study
    study.storage.engine.dispose()
