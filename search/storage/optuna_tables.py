"""Optuna's tables, as far as plain statements use them; opening a storage checks that they are of Optuna's version."""

from sqlalchemy import DateTime, Float, Integer, String, Text, column, table

trials = table(
    "trials",
    column("trial_id", Integer),
    column("study_id", Integer),
    column("number", Integer),
    column("state", String),
    column("datetime_start", DateTime),
    column("datetime_complete", DateTime),
)
values = table(
    "trial_values",
    column("trial_id", Integer),
    column("objective", Integer),
    column("value", Float),
    column("value_type", String),
)
params = table(
    "trial_params",
    column("param_id", Integer),
    column("trial_id", Integer),
    column("param_name", String),
    column("param_value", Float),
    column("distribution_json", Text),
)
reports = table(
    "trial_intermediate_values",
    column("trial_id", Integer),
    column("step", Integer),
    column("intermediate_value", Float),
    column("intermediate_value_type", String),
)
attributes, system_attributes = (
    table(name, column("trial_id", Integer), column("key", String), column("value_json", Text))
    for name in ("trial_user_attributes", "trial_system_attributes")
)
study_attributes = table(
    "study_system_attributes", column("study_id", Integer), column("key", String), column("value_json", Text)
)
