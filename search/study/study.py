"""A study: its name, its settings, and where it is kept."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal
from warnings import catch_warnings, simplefilter

from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning
from optuna.study import StudyDirection
from optuna.study import load_study as load_optuna_study
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from search.errors import SearchError
from search.space.box import FIRST_BOX, Box
from search.space.enqueued import Wanted, require_in
from search.space.samplers import SamplerName, require_samplable
from search.storage import optuna_tables, tables
from search.storage.database import Storage, exclusively, storage_errors
from search.storage.documents import from_json, to_json
from search.storage.tables import Now
from search.study.assignment import PruningRule
from search.study.variants import Experiment


@dataclass(frozen=True, slots=True)
class FinalistBudget:
    """How many configurations are looked at again, with how many seeds each, and the budget of each such trial."""

    configurations: int
    repeats: int
    images: int
    epochs: int

    def __post_init__(self) -> None:
        _at_least("finalists", self.configurations, 1)
        _at_least("finalist_repeats", self.repeats, 2)  # one alone has no error
        _at_least("finalist_images", self.images, 1)
        _at_least("finalist_epochs", self.epochs, 1)

    def __str__(self) -> str:
        return f"{self.configurations} × {self.repeats} ({self.images} images, {self.epochs} epochs)"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySpec:
    """Everything that decides a study's results, and so may not change while it lasts.

    `trials` has the number of each stage, `box` the ranges of the first, `ranges` those of all later ones
    if they shall not follow from the trials, `finalists` what comes after them (None: nothing), `dataset` the dataset's
    digest, `images` a trial's training images, `network` the user's own as JSON (None: the paper's), `enqueued` what
    the first slots shall try. Where there is an `experiment`, its trials are the study's only stage.
    """

    seed: int
    dataset: str
    precision: str
    trials: tuple[int, ...] = (50, 50)
    box: Box = FIRST_BOX
    ranges: Box | None = None
    finalists: FinalistBudget | None = None
    experiment: Experiment | None = None
    network: str | None = None
    enqueued: tuple[Wanted, ...] = ()
    recipe: str = "default"
    sampler: SamplerName = "random"
    pruning: PruningRule | Literal["none"] = "none"
    pruning_images: int = 125
    threads: int = 1
    images: int = 500
    epochs: int = 5
    batch_size: int = 32
    max_attempts: int = 3
    unit: str = "years"

    def __post_init__(self) -> None:
        for name in ("threads", "images", "epochs", "batch_size", "max_attempts", "pruning_images"):
            _at_least(name, getattr(self, name), 1)
        _at_least("seed", self.seed, 0)
        if not self.trials or min(self.trials) < 1:
            raise SearchError(f"trials = {_show(self.trials)} must name at least one trial for each stage, as in 50,50")
        if self.ranges is not None and _kinds(self.ranges) != _kinds(self.box):
            raise SearchError(f"ranges = {self.ranges} must have the names and kinds of the first box: {self.box}")
        require_in(self.box, self.enqueued, self.trials[0])
        require_samplable(self.sampler, self.box)


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
            _refuse_foreign(storage, name)
            return _create(storage, name, spec)
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


def require_undeleted(tx: Connection, study: Study) -> None:
    """Raise `SearchError` where a study has been deleted since it was read, though there be another of its name.

    One that was deleted by Optuna alone keeps its row here, and another may have Optuna's number for it.
    """
    ours, theirs = tables.studies.c, optuna_tables.studies.c
    both = select(ours.study).join(optuna_tables.studies, theirs.study_name == ours.study)
    same = (ours.study == study.name, ours.created == study.created, theirs.study_id == study.id)
    if tx.scalar(both.where(*same)) is None:
        raise deleted(study)


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


def _create(storage: Storage, name: str, spec: StudySpec) -> Study:
    try:
        number = storage.rdb.create_new_study([StudyDirection.MINIMIZE], name)
    except DuplicatedStudyError:
        number = storage.rdb.get_study_id_from_name(name)
    _name_the_value(storage, name, spec.unit)
    with storage.engine.begin() as tx:
        for table in (tables.studies, tables.stages, tables.slots, tables.workers):
            tx.execute(delete(table).where(table.c.study == name))
        row = insert(tables.studies).values(study=name, spec=to_json(spec), created=Now())
        created = tx.execute(row.returning(tables.studies.c.created)).scalar_one()
    return Study(storage, name, number, spec, created)


def _name_the_value(storage: Storage, name: str, unit: str) -> None:
    """Tell Optuna, and so the dashboard, what a trial's value is."""
    with catch_warnings():
        simplefilter("ignore", ExperimentalWarning)  # of setting the name; nothing depends on it
        load_optuna_study(study_name=name, storage=storage.rdb).set_metric_names(
            [f"score ({unit})" if unit else "score"]
        )


def _refuse_foreign(storage: Storage, name: str) -> None:
    number = _optuna_id(storage, name)
    if number is None:
        return
    rdb = storage.rdb
    if rdb.get_n_trials(number) > 0 or rdb.get_study_directions(number) != [StudyDirection.MINIMIZE]:
        raise SearchError(f"the study {name!r} in {storage} was not made by agesearch; use another --study")


def _optuna_id(storage: Storage, name: str) -> int | None:
    try:
        return storage.rdb.get_study_id_from_name(name)
    except KeyError:
        return None


def _stored(storage: Storage, name: str) -> Study | None:
    """Return the study that both Optuna's tables and ours have; None where either lack it."""
    number = _optuna_id(storage, name)
    with storage.engine.begin() as tx:
        row = tx.execute(select(tables.studies).where(tables.studies.c.study == name)).first()
    if row is None or number is None:
        return None
    return Study(storage, name, number, from_json(StudySpec, row.spec), row.created)


def _differences(created: StudySpec, asked: StudySpec) -> Iterator[str]:
    for field in fields(StudySpec):
        old, new = getattr(created, field.name), getattr(asked, field.name)
        if old != new:
            yield f"{field.name} = {_show(old)}, you asked for {field.name} = {_show(new)}"


def _kinds(box: Box) -> list[tuple[str, str]]:
    return [(each.name, each.kind) for each in box.ranges]


def _show(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise SearchError(f"{name} = {value} must be {least} or more")
