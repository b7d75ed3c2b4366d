"""What tasks have in common on the way from settings to a study."""

from collections.abc import Mapping
from typing import Any

from search.settings.settings import Settings
from search.study.assignment import Budget
from search.study.spec import SHARED, FinalistBudget


def shared_of(settings: Settings) -> dict[str, Any]:
    """Return the settings that a study keeps as they are, whatever its task."""
    return {name: getattr(settings, name) for name in SHARED}


def finalists_of(settings: Settings, budget: Budget) -> FinalistBudget | None:
    """Return the finalists that the settings ask for, each of their trials with that budget."""
    return FinalistBudget(settings.finalists, settings.finalist_repeats, budget) if settings.finalists else None


def completed(settings: Settings, stored: Mapping[str, Any]) -> Settings:
    """Return the settings with what a stored study has for all that they do not say themselves."""
    said = settings.model_fields_set
    return settings.model_copy(update={name: value for name, value in stored.items() if name not in said})
