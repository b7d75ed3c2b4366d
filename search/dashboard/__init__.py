"""The dashboard: optuna-dashboard behind a guard, and what a study shows on it."""
