"""All that a database holds of one study, in Optuna's tables and ours, freed of the numbers the database gave to it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Select, Table, insert, select
from sqlalchemy.engine import Connection

from search.storage import tables
from search.storage.optuna_tables import optuna_tables, studies, trials

Rows: TypeAlias = dict[str, list[dict[str, Any]]]
"""Rows by table. A trial is called by its number within the study."""

_DASHBOARD_S = re.compile(r"(dashboard:(?:artifacts:)?)(\d+)(:.*)", re.DOTALL)

_of_studies = [each for each in optuna_tables.values() if "study_id" in each.c and each not in (studies, trials)]
_of_trials = [each for each in optuna_tables.values() if "trial_id" in each.c and each is not trials]
_ours = [each for each in tables.metadata.sorted_tables if "study" in each.c]


def read_rows(tx: Connection, study: str) -> Rows:
    """Return all rows of a study, each table's in an order that the study alone decides; {} where there is none."""
    number = tx.scalar(select(studies.c.study_id).where(studies.c.study_name == study))
    if number is None:
        return {}
    of_study = select(trials.c.trial_id, trials.c.number).where(trials.c.study_id == number)
    numbers = {row.trial_id: row.number for row in tx.execute(of_study)}
    queries = {each: select(each).where(each.c.study_id == number) for each in (studies, *_of_studies, trials)}
    queries |= {each: select(each).join(trials).where(trials.c.study_id == number) for each in _of_trials}
    rows = {each.name: _freed(tx, each, query, numbers) for each, query in queries.items()}
    mine = {each: select(each).where(each.c.study == study) for each in _ours}
    # Texts are in another order in another database; the keys of Optuna's tables are numbers, whose order tells.
    return rows | {each.name: sorted(_freed(tx, each, query, numbers), key=repr) for each, query in mine.items()}


def write_rows(tx: Connection, rows: Rows) -> None:
    """Write the rows of a study that is not there yet."""
    (study,) = rows[studies.name]
    number = tx.execute(insert(studies).values(study).returning(studies.c.study_id)).scalar_one()
    ids = {}
    # One by one, as Optuna takes it that later trials have greater ids.
    for row in sorted(rows[trials.name], key=lambda row: int(row["number"])):
        made = tx.execute(insert(trials).values(**row, study_id=number).returning(trials.c.trial_id))
        ids[row["number"]] = made.scalar_one()
    for each in _of_studies:
        _insert(tx, each, ({**_with_trial(row, ids), "study_id": number} for row in rows[each.name]))
    for each in (*_of_trials, *_ours):
        _insert(tx, each, (_with_trial(row, ids) for row in rows[each.name]))


def _freed(tx: Connection, table: Table, query: Select[Any], numbers: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return rows without the keys that a database draws itself, and with a trial's number in the place of its id."""
    keys = [key.name for key in table.primary_key]
    drawn = {"study_id", *(keys if table.name in optuna_tables else ())}
    rows = tx.execute(query.order_by(*table.primary_key)).mappings()
    freed = [{key: value for key, value in row.items() if key not in drawn} for row in rows]
    return [_with_trial(row, numbers) for row in freed]


def _with_trial(row: Mapping[str, Any], names: Mapping[int, int]) -> dict[str, Any]:
    """Return a row that calls its trial, if it has one, by the other one of its names.

    The dashboard keeps what it knows of a trial with the study, under keys that hold the trial's id.
    """
    changed = dict(row)
    if row.get("trial_id") is not None:
        changed["trial_id"] = names.get(row["trial_id"])  # None: a slot whose trial is gone, which is to be repaired
    if "key" in row and (found := _DASHBOARD_S.match(row["key"])):
        changed["key"] = f"{found[1]}{names.get(int(found[2]), found[2])}{found[3]}"
    return changed


def _insert(tx: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    if listed := list(rows):
        tx.execute(insert(table), listed)
