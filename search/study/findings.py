"""What is wrong with a study: what crashes left behind, and what only a fault or another program can have done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TypeAlias

from optuna.trial import TrialState
from sqlalchemy import false, func, make_url, select
from sqlalchemy.engine import Connection, Row

from search.storage.artifacts import ArtifactFolder, unattached
from search.storage.database import Storage
from search.storage.engines import own_engine, repeatable_read
from search.storage.failures import REMEDY
from search.storage.optuna_tables import trials
from search.storage.tables import CLAIMED, FINISHED, Now, slots, stages
from search.study.claiming import held_by
from search.study.claims import Held
from search.study.owner import host_and_pid, is_gone
from search.study.slots import Slots
from search.study.study import Study

Kind: TypeAlias = Literal[
    "damaged file",
    "abandoned slot",
    "slot without a trial",
    "missing slot",
    "trial without a slot",
    "stray artifact",
]

_ENDED_WELL = (TrialState.COMPLETE, TrialState.PRUNED)

STRAYS = "stray"
"""The folder within that of the artifacts to which `repair` moves those that belong to no trial."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: its kind, the thing as a sentence, and what `repair` does about it, or what you can do.

    `trial` is Optuna's id, `held` is how an abandoned slot was seen, and `path` where a stray artifact lies.
    """

    kind: Kind
    text: str
    remedy: str
    repairable: bool = True
    stage: int | None = None
    slot: int | None = None
    trial: int | None = None
    held: Held | None = None
    path: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what people and programs want to know, by name."""
        return {"kind": self.kind, "text": self.text, "remedy": self.remedy, "repairable": self.repairable}

    def __str__(self) -> str:
        return f"{self.text}: {self.remedy}"


def find(of: Slots, artifacts: ArtifactFolder | None = None) -> tuple[Finding, ...]:
    """Look for everything that is wrong with a study and its artifacts; what living workers are just doing is not."""
    return (*_in_tables(of), *_strays(of.study.storage, artifacts))


def _in_tables(of: Slots) -> tuple[Finding, ...]:
    if damage := tuple(_damage(of.study.storage)):
        return damage
    with repeatable_read(of.study.storage.engine) as tx:
        return (
            *_missing(tx, of.study),
            *chain.from_iterable(_of_slot(row, of.lease_seconds) for row in _suspects(tx, of.study)),
            *_without_slot(tx, of.study),
        )


def _damage(storage: Storage) -> Iterator[Finding]:
    if storage.engine.dialect.name == "sqlite":
        # By an engine of its own: a transaction of the storage's would be closed to others until all has been read.
        with own_engine(make_url(storage.url)).connect() as connection:
            first = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        if first != "ok":
            yield Finding("damaged file", f"the database is damaged ({first})", REMEDY, repairable=False)


def _suspects(tx: Connection, study: Study) -> Sequence[Row[Any]]:
    """Return the slots that may be wrong, with their trials' states: the database passes over all that ended well."""
    ended_well = func.coalesce(trials.c.state.in_(_ENDED_WELL), false())
    wrong = (slots.c.state == CLAIMED) | ((slots.c.state == FINISHED) & ~ended_well)
    query = select(slots, trials.c.state.label("trial_state"), Now().label("now"))
    query = query.outerjoin(trials, trials.c.trial_id == slots.c.trial_id).where(slots.c.study == study.name, wrong)
    return tx.execute(query.order_by(slots.c.stage, slots.c.slot)).all()


def _of_slot(row: Row[Any], lease_seconds: float) -> Iterator[Finding]:
    place = f"stage {row.stage}, slot {row.slot}"
    where = {"stage": row.stage, "slot": row.slot, "trial": row.trial_id}
    if row.state == FINISHED:
        trial = "has no trial" if row.trial_state is None else f"has a trial that is {row.trial_state.name}"
        remedy = "it is opened again for the next worker"
        yield Finding("slot without a trial", f"{place} is closed, but {trial}", remedy, **where)
    elif why := _why_abandoned(row, lease_seconds):
        remedy = "it is set free for the next worker"
        yield Finding("abandoned slot", f"{place} is held by {why}", remedy, held=held_by(row), **where)


def _why_abandoned(row: Row[Any], lease_seconds: float) -> str:
    """Say why no worker can be expected to come back to a claimed slot; "" where one can."""
    host, pid = host_and_pid(row.owner)
    if is_gone(row.owner):
        return f"process {pid} of {host}, which is dead"
    left = row.lease_expires - row.now
    if left < 0:
        return f"process {pid} of {host}, which has been silent for {lease_seconds - left:.0f} seconds"
    if left > 2 * lease_seconds:
        return f"process {pid} of {host} for another {left:.0f} seconds, so the clock must have been set back"
    return ""


def _missing(tx: Connection, study: Study) -> Iterator[Finding]:
    its = (slots.c.study == stages.c.study) & (slots.c.stage == stages.c.stage) & (slots.c.slot < stages.c.slots)
    counted = select(stages.c.stage, stages.c.slots).outerjoin(slots, its).where(stages.c.study == study.name)
    counted = counted.group_by(stages.c.stage, stages.c.slots).having(func.count(slots.c.slot) < stages.c.slots)
    for stage, count in tx.execute(counted.order_by(stages.c.stage)).all():
        there = tx.scalars(select(slots.c.slot).where(slots.c.study == study.name, slots.c.stage == stage))
        for slot in sorted(set(range(count)) - set(there)):
            text = f"stage {stage} lacks its slot {slot}"
            yield Finding("missing slot", text, "it is made again", stage=stage, slot=slot)


def _without_slot(tx: Connection, study: Study) -> Iterator[Finding]:
    ours = select(slots.c.trial_id).where(slots.c.study == study.name, slots.c.trial_id.is_not(None))
    ended = (trials.c.study_id == study.id, trials.c.state.in_(_ENDED_WELL))
    strangers = select(trials.c.trial_id, trials.c.number).where(*ended, trials.c.trial_id.not_in(ours))
    for trial, number in tx.execute(strangers.order_by(trials.c.number)):
        text = f"trial {number} has a result, but belongs to no slot"
        remedy = "it counts for nothing here; another program, or a fault, has made it, and it can be left as it is"
        yield Finding("trial without a slot", text, remedy, repairable=False, trial=trial)


def _strays(storage: Storage, artifacts: ArtifactFolder | None) -> Iterator[Finding]:
    for path in unattached(storage, artifacts) if artifacts else ():
        # Not removed: a folder that the user has named may be another storage's as well.
        remedy = f"it is moved to {path.parent / STRAYS}, where you can delete it"
        yield Finding("stray artifact", f"the artifact {path} belongs to no trial", remedy, path=path)
