import pytest
from sqlalchemy import update

from search.storage.tables import slots as table


@pytest.fixture
def slots(study_of):
    """The slots of a study of two stages."""
    from search.study.slots import Slots

    return Slots(study_of(2, 2))


@pytest.fixture
def expire(storage):
    """Let the leases of all claimed slots run out."""

    def run_out():
        with storage.engine.begin() as tx:
            tx.execute(update(table).values(lease_expires=0.0).where(table.c.lease_expires.is_not(None)))

    return run_out
