"""The tables kept next to Optuna's in the same database, and the database's own clock."""

from typing import Any, Final

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

SCHEMA_VERSION: Final = 2
"""Grows whenever a table below changes its shape."""

WAITING: Final = "waiting"
CLAIMED: Final = "claimed"
FINISHED: Final = "finished"
FAILED: Final = "failed"

_NAME = String(512)  # as long as Optuna lets the name of a study be
_STATE = String(16)

metadata = MetaData()

schema = Table("agesearch_schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

studies = Table(
    "agesearch_studies",
    metadata,
    Column("study", _NAME, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("created", Float(53), nullable=False),
)

stages = Table(
    "agesearch_stages",
    metadata,
    Column("study", _NAME, primary_key=True),
    Column("stage", Integer, primary_key=True, autoincrement=False),
    Column("slots", Integer, nullable=False),
    Column("plan", Text, nullable=False),
    Column("created", Float(53), nullable=False),
)

slots = Table(
    "agesearch_slots",
    metadata,
    Column("study", _NAME, primary_key=True),
    Column("stage", Integer, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("state", _STATE, nullable=False),
    Column("token", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("owner", Text),
    Column("lease_expires", Float(53)),
    Column("trial_id", Integer),
    Column("params", Text),
    Column("reason", Text),
    # The next free slot and the few claimed ones are found here, however many are closed.
    Index("agesearch_slots_by_state", "study", "state", "stage", "slot"),
)

workers = Table(
    "agesearch_workers",
    metadata,
    Column("study", _NAME, primary_key=True),
    Column("worker", _NAME, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("device", Text, nullable=False),
    Column("state", _STATE, nullable=False),
    Column("started", Float(53), nullable=False),
    Column("last_seen", Float(53), nullable=False),
)


class Now(FunctionElement[float]):
    """The database server's clock in seconds since 1970, so that leases need no agreement between machines' clocks."""

    type = Float(53)
    inherit_cache = True


@compiles(Now, "sqlite")
def _now_in_sqlite(_element: Now, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(Now, "postgresql")
def _now_in_postgresql(_element: Now, _compiler: Any, **_options: Any) -> str:
    # Not now(), which stands still from the start of the transaction.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
