"""The best configuration as a TOML file, with where it came from."""

import math
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tomli_w

from search.errors import SearchError
from search.results.choice import Choice, choose
from search.space.parameters import table_of
from search.study.plans import Sampled
from search.study.stages import Stage, list_stages
from search.study.study import Study

PACKAGES = ("agesearch", "tensorflow", "keras", "optuna", "numpy", "h5py", "sqlalchemy")

WRITTEN = "# Written by agesearch\n"
"""How the file begins, by which an export knows that it may be replaced."""


def read_document(path: Path) -> dict[str, Any]:
    """Read a file that `export` wrote; raises SearchError where it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SearchError(f"the configuration {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or a number of 5000 digits
        raise SearchError(f"the configuration {path} is not TOML: {error}") from error


def export_configuration(study: Study, tables: Mapping[str, Any], trial: int | None = None) -> bytes:
    """Return the study's best configuration, or that of one of its trials, and its provenance as TOML.

    `tables` are those that the file has of the task.

    Raises SearchError where no trial has finished with a value yet, or that one has not.
    """
    return (WRITTEN + tomli_w.dumps(_document(study, tables, choose(study, trial)))).encode()


def _document(study: Study, tables: Mapping[str, Any], choice: Choice) -> dict[str, Any]:
    spec, best = study.spec, choice.trial
    return {
        "hyperparameters": choice.params,
        **tables,
        "score": asdict(spec.task.score),
        "choice": _choice(choice),
        "trial": {
            "number": best.number, "stage": best.stage, "slot": best.slot, "score": best.score,
            **best.measures, "seconds": best.seconds, **best.budget, "device": best.device, "seeds": best.seeds,
        },
        "study": {
            "name": study.name, "storage": str(study.storage), "seed": spec.seed, "sampler": spec.sampler,
            "trials": list(spec.trials), "max_attempts": spec.max_attempts,
        },
        "stages": [_stage(stage) for stage in list_stages(study)],
        "finalists": _finalists(choice),
        "versions": {"python": platform.python_version(), **_versions()},
    }  # fmt: skip


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _choice(choice: Choice) -> dict[str, Any]:
    judged = choice.verdict
    if judged is None:
        return {"reason": choice.reason}
    return {"reason": choice.reason, "rule": judged.rule, "repeats": judged.repeats, **judged.budget}


def _finalists(choice: Choice) -> list[dict[str, Any]]:
    """Return each finalist as a table; TOML has no null, so that what is missing is left out, and a score is nan."""
    tables = (asdict(each) for each in choice.verdict.finalists) if choice.verdict else ()
    return [
        {key: value for key, value in table.items() if value is not None}
        | {"scores": [math.nan if score is None else score for score in table["scores"]]}
        for table in tables
    ]


def _stage(stage: Stage) -> dict[str, Any]:
    table: dict[str, Any] = {"number": stage.number, "kind": stage.plan.kind, "trials": stage.plan.slots}
    table["box"] = {searched.name: table_of(searched) for searched in stage.plan.box.ranges}
    if isinstance(stage.plan, Sampled) and stage.plan.narrowing:
        narrowing = stage.plan.narrowing
        table["rule"], table["reason"] = narrowing.rule, narrowing.reason
        table["from_trials"] = [trial.number for trial in narrowing.best]
    return table
