"""Trials, workers, storage, the commands: the one room that knows Optuna, and joins the other two."""
