"""A finished study of many trials in a moment: a small one is run, and its rows are copied as often as it takes."""

from pathlib import Path
from threading import Event

from sqlalchemy import MetaData, Table, func, insert, select
from sqlalchemy.engine import Connection

from search.dashboard.board import show
from search.run.loop import Workplace, work
from search.storage.artifacts import ArtifactFolder
from search.storage.database import create_storage, quieten_optuna
from search.study.slots import Slots
from search.study.study import Study, create_or_resume
from search.study.trial import Outcome, Trial
from tests.integration.fake_study import spec_of
from tests.outcomes import outcome_of

SMALL = 10
COPIED = (
    "trial_params",
    "trial_values",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_intermediate_values",
)


def make_big(url: str, name: str, trials: int, to_come: int = 0) -> Study:
    """Create a study with about as many finished trials at `url`, each with values on the way.

    They are its first stage, after which there are as many trials `to_come` in a second one.
    """
    quieten_optuna()
    storage = create_storage(url)
    stages = (SMALL, to_come) if to_come else (SMALL,)
    study = create_or_resume(storage, name, spec_of(*stages))
    artifacts = ArtifactFolder(Path(f"{storage.engine.url.database}.artifacts"))
    stop = Event()

    def run(trial: Trial) -> Outcome:
        if trial.slot == SMALL - 1:
            stop.set()
        return _trial(trial)

    work(Slots(study), run, stop, Workplace("a processor", artifacts))
    tables = MetaData()
    tables.reflect(storage.engine)
    with storage.engine.begin() as tx:
        for copy in range(1, trials // SMALL):
            _copy_trials(tx, tables.tables, copy * SMALL)
    show(study)
    return study


def _trial(trial: Trial) -> Outcome:
    error = 10 + trial.seeds.order % 1000 / 100
    for epoch in range(1, 6):
        trial.report(epoch, error + 10 / epoch)
    return outcome_of(error, error, error - 1, 0.1)


def _copy_trials(tx: Connection, tables: dict[str, Table], shift: int) -> None:
    trials, slots = tables["trials"], tables["agesearch_slots"]
    first = trials.c.number < SMALL
    _copy(tx, trials, first, {"trial_id": trials.c.trial_id + shift, "number": trials.c.number + shift})
    ids = select(trials.c.trial_id).where(first)
    for name in COPIED:
        table = tables[name]
        (key,) = table.primary_key.columns
        last = tx.scalar(select(func.max(key)))
        shifted = {key.name: key + last, "trial_id": table.c.trial_id + shift}
        _copy(tx, table, table.c.trial_id.in_(ids), shifted)
    _copy(tx, slots, slots.c.slot < SMALL, {"slot": slots.c.slot + shift, "trial_id": slots.c.trial_id + shift})


def _copy(tx: Connection, table: Table, where: object, changed: dict[str, object]) -> None:
    columns = [changed.get(column.name, column).label(column.name) for column in table.columns]
    tx.execute(insert(table).from_select(list(table.columns.keys()), select(*columns).where(where)))
