"""Reading a study's trials for pages, in six plain statements: Optuna's own way builds an object of each row."""

import json
from collections import defaultdict
from collections.abc import Container, Sequence
from math import inf, nan
from typing import Any

from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import or_, select
from sqlalchemy.engine import Connection, Row

from search.space.distributions import distribution_from
from search.storage.optuna_tables import attributes, params, reports, system_attributes, trials, values

_NOT_FINITE = {"INF_POS": inf, "INF_NEG": -inf, "NAN": nan}
"""How Optuna keeps the numbers that not every database has; of all others the column holds the value itself."""

DRAWN = 100
"""Trials of a study, its first, whose reports are read once they have ended: a page draws a line for each of them, and
takes a second for every hundred."""


class QuickReading(RDBStorage):
    """Optuna's storage, which reads trials an order of magnitude faster, and of most of them no reports (`DRAWN`)."""

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        """Return the trials of a study that are newer than one of them, or included, in the order of their ids.

        Raises KeyError where there is no such study.
        """
        self.get_study_directions(study_id)
        chosen = (
            trials.c.study_id == study_id,
            or_(trials.c.trial_id > trial_id_greater_than, trials.c.trial_id.in_(included_trial_ids)),
        )
        with self.engine.begin() as tx:
            read = read_trials(tx, *chosen, drawn=or_(trials.c.number < DRAWN, trials.c.datetime_complete.is_(None)))
        return [trial for trial in read if states is None or trial.state in states]


def read_trials(tx: Connection, *chosen: Any, drawn: Any = None) -> list[FrozenTrial]:
    """Return the trials that are `chosen` in the order of their ids, with the reports of those `drawn`, or of all."""
    # First the states: what is finished by then is whole in all that is read afterwards.
    found = tx.execute(select(trials).where(*chosen).order_by(trials.c.trial_id)).all()
    parts = [_by_trial(tx, part, chosen) for part in (values, params, attributes, system_attributes)]
    parts.append(_by_trial(tx, reports, chosen if drawn is None else (*chosen, drawn)))
    return [_trial(row, *(part[row.trial_id] for part in parts)) for row in found]


def _by_trial(tx: Connection, part: Any, chosen: Sequence[Any]) -> dict[int, list[Row[Any]]]:
    """Return the rows of a part of the chosen trials, by the trial's id."""
    found = defaultdict(list)
    for row in tx.execute(select(part).join(trials, trials.c.trial_id == part.c.trial_id).where(*chosen)).all():
        found[row.trial_id].append(row)
    return found


def _trial(row: Row[Any], values: Any, params: Any, user: Any, system: Any, steps: Any) -> FrozenTrial:
    values = sorted(values, key=lambda each: each.objective)
    params = sorted(params, key=lambda each: each.param_id)
    ranges = {each.param_name: distribution_from(each.distribution_json) for each in params}
    return FrozenTrial(
        number=row.number,
        state=row.state,
        value=None,
        values=[_NOT_FINITE.get(each.value_type.name, each.value) for each in values] or None,
        datetime_start=row.datetime_start,
        datetime_complete=row.datetime_complete,
        params={each.param_name: ranges[each.param_name].to_external_repr(each.param_value) for each in params},
        distributions=ranges,
        user_attrs={each.key: json.loads(each.value_json) for each in user},
        system_attrs={each.key: json.loads(each.value_json) for each in system},
        intermediate_values={
            each.step: _NOT_FINITE.get(each.intermediate_value_type.name, each.intermediate_value) for each in steps
        },
        trial_id=row.trial_id,
    )
