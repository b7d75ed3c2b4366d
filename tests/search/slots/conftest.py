import pytest
from sqlalchemy import update

from search.storage.tables import slots


@pytest.fixture
def expire(storage):
    """Let the leases of all claimed slots run out."""

    def run_out():
        with storage.engine.begin() as tx:
            tx.execute(update(slots).values(lease_expires=0.0).where(slots.c.lease_expires.is_not(None)))

    return run_out
