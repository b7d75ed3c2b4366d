"""Mending what is wrong with a study while its workers go on: nothing is done where it is not as it was found."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from search.storage.engines import repeatable_read
from search.storage.retry import retry_interrupted
from search.storage.tables import CLAIMED, FAILED, FINISHED, WAITING, slots, stages
from search.study.findings import STRAYS, Finding
from search.study.slots import Slots
from search.study.study import Study

_REASON = "repaired: no worker held its slot"


def repair(of: Slots, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Repair those of the findings that can be repaired; one that is no longer so is left alone.

    Returns them all; one that turned out to be for you to repair says what you can do.
    """
    return tuple(_mended(of, finding) for finding in findings)


def _mended(of: Slots, finding: Finding) -> Finding:
    if finding.held is not None:
        of.release(finding.held, _REASON)
    elif finding.path is not None:
        return _moved_away(finding, finding.path)
    elif finding.kind == "slot without a trial":
        _reopen(of, finding)
    elif finding.kind == "missing slot":
        _make(of, finding)
    return finding


def _moved_away(finding: Finding, path: Path) -> Finding:
    folder = path.parent / STRAYS
    try:
        folder.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # another repair has moved it
            path.rename(folder / path.name)
    except OSError as error:
        remedy = f"it cannot be moved to {folder} ({error.strerror}); make that a folder you may write to, or move it"
        return replace(finding, remedy=remedy, repairable=False)
    return finding


def _reopen(of: Slots, finding: Finding) -> None:
    as_found = (
        *(slots.c.study == of.study.name, slots.c.stage == finding.stage, slots.c.slot == finding.slot),
        *(slots.c.state == FINISHED, slots.c.trial_id.is_not_distinct_from(finding.trial)),
    )
    with of.study.storage.engine.begin() as tx:
        tx.execute(update(slots).where(*as_found).values(state=WAITING, trial_id=None))


def open_failed(of: Slots) -> int:
    """Open the slots again that were closed as failed, as if nobody had tried yet, and return how many there were.

    Later stages are planned anew, when their turn comes, unless one has begun: its box and its finalists stay as they
    were chosen without the failed trials.
    """
    opened: set[tuple[int, int]] = set()
    _open_failed(of, opened)
    return len(opened)


@retry_interrupted
def _open_failed(of: Slots, opened: set[tuple[int, int]]) -> None:
    """Open them, and add their places to `opened`: the attempt before may have come through, and its answer not."""
    failed = (slots.c.study == of.study.name, slots.c.state == FAILED)
    anew = {"state": WAITING, "trial_id": None, "failures": 0, "losses": 0, "reason": None}
    opening = update(slots).where(*failed).values(**anew).returning(slots.c.stage, slots.c.slot)
    with repeatable_read(of.study.storage.engine) as tx:  # so that no worker begins meanwhile in what is forgotten
        found = [(row.stage, row.slot) for row in tx.execute(opening)]
        opened.update(found)
        if found:
            _forget_unbegun(tx, of.study, min(found)[0])


def _forget_unbegun(tx: Connection, study: Study, after: int) -> None:
    """Forget the stages after a stage, from the last one back to the first that has begun."""
    begun = (slots.c.study == study.name, slots.c.state.in_((CLAIMED, FINISHED)))
    last = max(after, tx.scalar(select(func.max(slots.c.stage)).where(*begun)) or 0)
    for table in (slots, stages):
        tx.execute(delete(table).where(table.c.study == study.name, table.c.stage > last))


def _make(of: Slots, finding: Finding) -> None:
    key = {"study": of.study.name, "stage": finding.stage, "slot": finding.slot}
    with suppress(IntegrityError), of.study.storage.engine.begin() as tx:
        tx.execute(insert(slots).values(**key, state=WAITING, token=0, failures=0, losses=0))
