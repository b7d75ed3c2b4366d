"""Optuna's tables and the ids in them, for plain statements; opening a storage checks that they are of this version."""

from typing import Final

# Optuna has no public way to read or write whole rows.
from optuna.storages._rdb.models import BaseModel
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial

optuna_tables: Final = BaseModel.metadata.tables

studies, trials, values, params = (
    optuna_tables[name] for name in ("studies", "trials", "trial_values", "trial_params")
)
reports = optuna_tables["trial_intermediate_values"]
attributes, system_attributes = optuna_tables["trial_user_attributes"], optuna_tables["trial_system_attributes"]
directions, study_attributes = optuna_tables["study_directions"], optuna_tables["study_system_attributes"]


def id_of(trial: FrozenTrial) -> int:
    """Return a trial's id in the tables, which is not its number in the study."""
    return trial._trial_id


def study_id_of(study: FrozenStudy) -> int:
    """Return a study's id in the tables."""
    return study._study_id
