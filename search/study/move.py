"""Copying a study from one storage to another, whole or not at all, while nobody works on it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from optuna.artifacts.exceptions import ArtifactNotFound
from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from search.errors import SearchError
from search.storage.address import is_same, parse_address
from search.storage.artifacts import ArtifactFolder, artifact_ids
from search.storage.database import Storage, create_storage, exclusively, open_storage
from search.storage.engines import repeatable_read
from search.storage.failures import storage_errors
from search.storage.tables import CLAIMED, Now, slots, workers
from search.study.owner import host_and_pid, is_gone
from search.study.rows import Rows, read_rows, write_rows
from search.study.slots import LEASE_SECONDS
from search.study.study import forget, load_study
from search.study.workers import RUNNING, STOPPED


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied and found the same in both places, and how many files of artifacts were `gone`."""

    trials: int
    stages: int
    slots: int
    rows: int
    artifacts: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the study's artifacts may be, and where they shall be; None for nowhere."""

    sources: tuple[ArtifactFolder, ...] = ()
    target: ArtifactFolder | None = None


def move_study(source_url: str, target_url: str, name: str, folders: Folders = Folders()) -> Moved:
    """Copy the study `name`, compare every value, and leave the source as it was.

    Its artifacts' files are copied before the rows that name them; one that is gone is gone in both places, then. A
    slot that a dead worker held is held by it no longer, so that the next worker takes it over. Raises SearchError
    where the study is unknown, is being worked on, or is in the target already, or has artifacts and there is no folder
    to copy them from or to; no row has been copied then.
    """
    if is_same(parse_address(target_url), source_url):
        raise SearchError("--from and --to are the same storage")
    source = open_storage(source_url)
    load_study(source, name)
    with storage_errors(source), repeatable_read(source.engine) as tx:
        _refuse_work(tx, source, name)
        rows = _at_rest(read_rows(tx, name))
        named = artifact_ids(row["key"] for of_table in rows.values() for row in of_table if "key" in row)
        carried = _carry(named, folders)
        # Within the block, so that no worker of a SQLite file begins meanwhile.
        target = create_storage(target_url)
        with storage_errors(target), exclusively(target):
            _write(target, name, rows)
    return Moved(
        trials=len(rows["trials"]),
        stages=len(rows["agesearch_stages"]),
        slots=len(rows[slots.name]),
        rows=sum(map(len, rows.values())),
        artifacts=carried,
        gone=len(named) - carried,
    )


def _carry(named: Sequence[str], folders: Folders) -> int:
    """Copy the files of the artifacts of these ids, and return how many there were."""
    if not named:
        return 0
    if not folders.sources or folders.target is None:
        raise SearchError(
            f"the study has {len(named)} artifacts, for which only SQLite has a folder by default; give --artifacts DIR"
        )
    return sum(_copied(each, folders.sources, folders.target) for each in named)


def _copied(artifact: str, sources: Sequence[ArtifactFolder], target: ArtifactFolder) -> bool:
    for source in sources:
        with suppress(ArtifactNotFound), source.open_reader(artifact) as content:
            target.write(artifact, content)
            return True
    return False


def _refuse_work(tx: Connection, source: Storage, name: str) -> None:
    """Refuse a study one of whose workers is alive, or was heard of so lately that it may be."""
    lease = slots.c.lease_expires.between(Now(), Now() + 2 * LEASE_SECONDS)
    held = select(slots.c.owner).where(slots.c.study == name, slots.c.state == CLAIMED, lease)
    seen = select(workers.c.worker).where(
        workers.c.study == name,
        workers.c.state == RUNNING,
        # Nor in the future: the database's clock has been set back since.
        workers.c.last_seen.between(Now() - LEASE_SECONDS, Now() + LEASE_SECONDS),
    )
    alive = sorted({owner for owner in (*tx.scalars(held), *tx.scalars(seen)) if not is_gone(owner)})
    if alive:
        names = ", ".join(f"{host} {pid}" for host, pid in map(host_and_pid, alive))
        raise SearchError(
            f"the study {name!r} in {source} is being worked on by {names}: stop its workers, or wait for "
            f"{LEASE_SECONDS:.0f} seconds after their death, and move it then"
        )


def _at_rest(rows: Rows) -> Rows:
    """Return the rows without anybody's right to anything: leases have run out, and no worker runs."""
    resting = [{**row, "lease_expires": 0.0} if row["state"] == CLAIMED else row for row in rows[slots.name]]
    stopped = [{**row, "state": STOPPED} for row in rows[workers.name]]
    return rows | {slots.name: sorted(resting, key=repr), workers.name: sorted(stopped, key=repr)}


def _write(target: Storage, name: str, rows: Rows) -> None:
    with target.engine.begin() as tx:
        if read_rows(tx, name):
            raise SearchError(f"the storage {target} has a study {name!r} already: move to another storage")
        forget(tx, name)  # what is left of one that was deleted on the dashboard, so by Optuna
        try:
            write_rows(tx, rows)
        except IntegrityError as error:
            raise SearchError(
                f"another process has just created a study {name!r} in {target}: move to another storage"
            ) from error
        written = read_rows(tx, name)
        if different := [table for table, wanted in rows.items() if written[table] != wanted]:
            raise SearchError(f"the copy in {target} differs in {', '.join(different)}: nothing was copied")
