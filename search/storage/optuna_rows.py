"""Writing a study and its trials into Optuna's tables, in plain statements: the one place that does.

Each function does, within a transaction that it is given, what Optuna's own call does in one of its own, and so costs
a statement where that costs several and a commit. A test compares every row with what Optuna's calls leave.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages._rdb.models import TrialIntermediateValueModel, TrialValueModel
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from search.space.box import Box
from search.space.distributions import distribution_of
from search.space.ranges import Range, Value
from search.storage.optuna_tables import (
    attributes,
    directions,
    params,
    reports,
    studies,
    study_attributes,
    system_attributes,
    trials,
    values,
)


class StoredRange(NamedTuple):
    """A range, and how Optuna keeps it next to the values chosen from it."""

    range: Range
    distribution: BaseDistribution
    text: str


def stored_ranges(box: Box) -> dict[str, StoredRange]:
    """Return the ranges of a box by name, made once for all the trials of a stage."""
    made = {each.name: (each, distribution_of(each)) for each in box.ranges}
    return {name: StoredRange(of, kept, distribution_to_json(kept)) for name, (of, kept) in made.items()}


# Made once: SQLAlchemy takes longer to put a statement together than SQLite to carry it out.
_before = trials.alias()
_last = select(_before.c.number).where(_before.c.study_id == bindparam("study")).order_by(_before.c.trial_id.desc())
_NEW_TRIAL = (
    insert(trials)
    .values(
        number=func.coalesce(_last.limit(1).scalar_subquery() + 1, 0),
        study_id=bindparam("study"),
        state=TrialState.RUNNING,
        datetime_start=bindparam("now"),
    )
    .returning(trials.c.trial_id, trials.c.number)
)
_END = (
    update(trials)
    .where(trials.c.trial_id == bindparam("trial"), trials.c.state == TrialState.RUNNING)
    .values(state=bindparam("end"), datetime_complete=bindparam("now"))
)
_INSERT = {table: insert(table) for table in (attributes, system_attributes, params, values)}
_REPORT = {each.__name__.split(".")[2]: each.insert(reports).on_conflict_do_nothing() for each in (sqlite, postgresql)}


def create_study(tx: Connection, name: str, metric: str, direction: StudyDirection) -> int:
    """Create a study with a direction, or take an empty one, and call its value `metric`; return its id."""
    number = tx.scalar(select(studies.c.study_id).where(studies.c.study_name == name))
    if number is None:
        number = tx.execute(insert(studies).values(study_name=name).returning(studies.c.study_id)).scalar_one()
        tx.execute(insert(directions).values(study_id=number, objective=0, direction=direction))
    key = {"study_id": number, "key": "study:metric_names"}
    tx.execute(delete(study_attributes).filter_by(**key))
    tx.execute(insert(study_attributes).values(**key, value_json=json.dumps([metric])))
    return int(number)


def create_trial(tx: Connection, study_id: int) -> tuple[int, int]:
    """Create a running trial, and return its id and its number.

    The caller keeps others from doing the same meanwhile, as Optuna does, by a lock of the study's row.
    """
    made = tx.execute(_NEW_TRIAL, {"study": study_id, "now": datetime.now()}).one()
    return made.trial_id, made.number


def add_params(tx: Connection, trial_id: int, chosen: Mapping[str, Value], ranges: Mapping[str, StoredRange]) -> None:
    """Give a running trial its parameters."""
    rows = [
        {
            "trial_id": trial_id,
            "param_name": name,
            "param_value": ranges[name].distribution.to_internal_repr(value),
            "distribution_json": ranges[name].text,
        }
        for name, value in chosen.items()
    ]
    _insert(tx, params, rows)


def add_attributes(tx: Connection, trial_id: int, own: Mapping[str, Any]) -> None:
    """Give a running trial user attributes that it does not have yet."""
    _insert(tx, attributes, _attributes(trial_id, own))


def add_system_attributes(tx: Connection, trial_id: int, own: Mapping[str, Any]) -> None:
    """Give a running trial system attributes that it does not have yet."""
    _insert(tx, system_attributes, _attributes(trial_id, own))


def add_reports(tx: Connection, trial_id: int, reported: Mapping[int, float]) -> None:
    """Give a running trial values on its way, by steps; a step that has one keeps it.

    So they can be written again where nobody knows whether a transaction came through.
    """
    stored = {step: TrialIntermediateValueModel.intermediate_value_to_stored_repr(reported[step]) for step in reported}
    rows = [
        {"trial_id": trial_id, "step": step, "intermediate_value": value, "intermediate_value_type": kind}
        for step, (value, kind) in stored.items()
    ]
    if rows:
        tx.execute(_REPORT[tx.dialect.name], rows)


def end_trial(tx: Connection, trial_id: int, state: TrialState, score: float | None = None) -> bool:
    """End a running trial with a score or none, and return whether it was running."""
    if tx.execute(_END, {"trial": trial_id, "end": state, "now": datetime.now()}).rowcount == 0:
        return False
    if score is not None:
        value, kind = TrialValueModel.value_to_stored_repr(score)
        _insert(tx, values, [{"trial_id": trial_id, "objective": 0, "value": value, "value_type": kind}])
    return True


def _attributes(trial_id: int, own: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return ({"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in own.items())


def _insert(tx: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    if listed := list(rows):
        tx.execute(_INSERT[table], listed)
