"""What every study must have come to in the end, whatever was done to its processes."""

from sqlalchemy import select

from search.storage.tables import slots
from search.study.slots import SlotCounts, Slots
from tests.integration import fake_study as fake


def assert_exact(study):
    """Each slot has one finished trial, with the parameters and the value of an undisturbed run; nothing is left over.

    And the database itself is sound.
    """
    assert fake.finished(study) == sorted(fake.expected(study.spec).items())
    assert fake.running(study) == []
    for stage, count in enumerate(study.spec.stage_sizes, start=1):
        assert Slots(study).counts(stage) == SlotCounts(finished=count)
    assert trials_of_slots(study) == {(stage, slot): (stage, slot) for stage, slot in fake.expected(study.spec)}
    assert damage_of(study.storage) == ""


def trials_of_slots(study):
    """Each slot to the slot that the trial it points to was made for."""
    with study.storage.engine.begin() as tx:
        rows = tx.execute(select(slots).where(slots.c.study == study.name)).all()
    attributes = {row: study.storage.rdb.get_trial(row.trial_id).user_attrs for row in rows}
    return {(row.stage, row.slot): (own["stage"], own["slot"]) for row, own in attributes.items()}


def takeovers(study):
    """How often a slot was taken over from a worker that had died or fallen silent."""
    with study.storage.engine.begin() as tx:
        return sum(tx.scalars(select(slots.c.losses).where(slots.c.study == study.name)))


def damage_of(storage):
    """What SQLite finds wrong with its file, "" if nothing; PostgreSQL has no such question to be asked."""
    if storage.engine.dialect.name != "sqlite":
        return ""
    with storage.engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return "" if found == ["ok"] else "; ".join(found)
