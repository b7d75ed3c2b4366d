"""A study: its name, its spec, and where it is kept; created, resumed, and found again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from optuna.study import StudyDirection
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, delete, func, insert, literal, select
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from search.errors import SearchError, SearchFailure
from search.storage import optuna_tables, tables
from search.storage.database import Storage, exclusively
from search.storage.documents import from_json, to_json
from search.storage.failures import storage_errors
from search.storage.optuna_rows import create_study
from search.storage.tables import Now
from search.study.spec import StudySpec


@dataclass(frozen=True, slots=True)
class Study:
    """A study in a storage; `id` is Optuna's number for it.

    A database may give the number of a deleted study to the next one, which has another time of creation.
    """

    storage: Storage
    name: str
    id: int
    spec: StudySpec
    created: float


def create_or_resume(storage: Storage, name: str, spec: StudySpec) -> Study:
    """Return the study `name`, made now if there is none.

    Raises `SearchError` naming every setting in which `spec` differs from the one the study was created with.
    """
    with exclusively(storage):
        study = _stored(storage, name)
        if study is None:  # new, half created, or deleted in Optuna alone
            left = _row(storage, name)
            refuse_foreign(storage, name, _direction(spec))
            return _create(storage, name, spec, left and left.created)
    differences = list(_differences(study.spec, spec))
    if differences:
        raise SearchError(f"the study {name!r} was created with {'; '.join(differences)}; use another --study")
    return study


def load_study(storage: Storage, name: str) -> Study:
    """Return an existing study; raise `SearchError` with the names there are if it is unknown."""
    with storage_errors(storage):
        study = _stored(storage, name)
    if study is None:
        known = ", ".join(map(repr, study_names(storage))) or "none"
        raise SearchError(f"no study {name!r} in {storage}; it has: {known}")
    return study


@contextmanager
def readable(storage: Storage, name: str) -> Iterator[None]:
    """Raise SearchError where the block finds that another version has written what it reads of a study."""
    try:
        yield
    except ValidationError as error:
        raise SearchError(
            f"the study {name!r} in {storage} was made by another version of agesearch, and this one cannot read it; "
            "use the version that made it, or another --study"
        ) from error


def alive(study: Study) -> ColumnElement[bool]:
    """Return the condition that a study has not been deleted since it was read, though there be another of its name.

    One that was deleted by Optuna alone keeps its row here, and another may have Optuna's number for it.
    """
    return _same(study).exists()


def require_undeleted(tx: Connection, study: Study) -> None:
    """Raise `SearchError` where a study has been deleted since it was read."""
    if tx.scalar(_same(study)) is None:
        raise deleted(study)


def locked(study: Study) -> Select[tuple[int]]:
    """Return the query that keeps others from creating a trial until the transaction ends; no row if deleted.

    Optuna takes the same lock, since a trial's number is that of the last one and 1. PostgreSQL ends the transaction
    without waiting for the disk, so that nobody waits for that with the lock: a claim that a crash of the server takes
    back has never been, and its worker finds out. A result, which is written later, is on the disk when it is there.
    """
    query = _same(study).with_for_update(key_share=True, of=optuna_tables.studies)
    if study.storage.engine.dialect.name == "postgresql":
        return query.add_columns(func.set_config("synchronous_commit", "off", literal(True)))
    return query


def _same(study: Study) -> Select[tuple[int]]:
    ours, theirs = tables.studies.c, optuna_tables.studies.c
    both = select(theirs.study_id).join(tables.studies, theirs.study_name == ours.study)
    return both.where(ours.study == study.name, ours.created == study.created, theirs.study_id == study.id)


def deleted(study: Study) -> SearchError:
    """Return the error of a study that is not there any more."""
    return SearchError(f"the study {study.name!r} has been deleted from {study.storage}")


def study_names(storage: Storage) -> tuple[str, ...]:
    """Return the names of the studies in the storage, in the order of their creation.

    One that was deleted on the dashboard, so by Optuna, is none, though its row is left here.
    """
    table, theirs = tables.studies.c, optuna_tables.studies.c.study_name
    alive = select(table.study).join(optuna_tables.studies, theirs == table.study)
    with storage_errors(storage), storage.engine.begin() as tx:
        return tuple(tx.scalars(alive.order_by(table.created, table.study)))


def forget(tx: Connection, name: str) -> None:
    """Remove what our own tables hold of a study that Optuna's have no more."""
    tx.execute(delete(tables.studies).where(tables.studies.c.study == name))
    _forget_parts(tx, name)


def _forget_parts(tx: Connection, name: str) -> None:
    for table in (tables.stages, tables.slots, tables.workers):
        tx.execute(delete(table).where(table.c.study == name))


def _create(storage: Storage, name: str, spec: StudySpec, left: float | None) -> Study:
    """Create a study in place of what is `left` of another, known by its time of creation.

    Raises SearchFailure if another process has just done so: the lock is lost with its connection.
    """
    row = insert(tables.studies).values(study=name, spec=to_json(spec), created=Now())
    try:
        with storage.engine.begin() as tx:
            tx.execute(delete(tables.studies).where(tables.studies.c.study == name, tables.studies.c.created == left))
            created = tx.execute(row.returning(tables.studies.c.created)).scalar_one()
            _forget_parts(tx, name)
            number = create_study(tx, name, spec.task.score.labelled("score"), _direction(spec))
    except IntegrityError as error:
        raise SearchFailure(
            f"another process has just created the study {name!r} in {storage}; run the same again"
        ) from error
    return Study(storage, name, number, spec, created)


def _direction(spec: StudySpec) -> StudyDirection:
    return StudyDirection.MINIMIZE if spec.task.score.direction == "minimize" else StudyDirection.MAXIMIZE


def refuse_foreign(storage: Storage, name: str, direction: StudyDirection | None = None) -> None:
    """Raise SearchError where Optuna has a study of that name that cannot be the beginning of one of ours.

    With a `direction`, one of another direction cannot be, either.
    """
    rdb = storage.rdb
    try:
        number = rdb.get_study_id_from_name(name)
    except KeyError:
        return
    found = rdb.get_study_directions(number)
    if rdb.get_n_trials(number) > 0 or len(found) != 1 or direction not in (None, *found):
        raise SearchError(f"the study {name!r} in {storage} was not made by agesearch; use another --study")


def _stored(storage: Storage, name: str) -> Study | None:
    """Return the study that both Optuna's tables and ours have; None where either lack it."""
    theirs = optuna_tables.studies.c
    both = select(tables.studies, theirs.study_id).join(optuna_tables.studies, theirs.study_name == name)
    with storage.engine.begin() as tx:
        row = tx.execute(both.where(tables.studies.c.study == name)).first()
    if row is None:
        return None
    with readable(storage, name):
        return Study(storage, name, row.study_id, from_json(StudySpec, row.spec), row.created)


def _row(storage: Storage, name: str) -> Row[Any] | None:
    with storage.engine.begin() as tx:
        return tx.execute(select(tables.studies).where(tables.studies.c.study == name)).first()


def _differences(created: StudySpec, asked: StudySpec) -> Iterator[str]:
    for name, (old, new) in created.differences(asked).items():
        yield f"{name} = {_show(old)}, you asked for {name} = {_show(new)}"


def _show(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
