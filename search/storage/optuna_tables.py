"""Optuna's tables, for plain statements; opening a storage checks that they are of this very version."""

from typing import Final

# Optuna has no public way to read or write whole rows.
from optuna.storages._rdb.models import BaseModel

optuna_tables: Final = BaseModel.metadata.tables

studies, trials, values, params = (
    optuna_tables[name] for name in ("studies", "trials", "trial_values", "trial_params")
)
reports = optuna_tables["trial_intermediate_values"]
attributes, system_attributes = optuna_tables["trial_user_attributes"], optuna_tables["trial_system_attributes"]
study_attributes = optuna_tables["study_system_attributes"]
