import pytest


@pytest.fixture
def slots(study_of):
    """The slots of a study of two stages."""
    from search.slots.slots import Slots

    return Slots(study_of(2, 2))
