"""The best configuration as a TOML file: written by `export` with where it came from, read by `fit`."""

import platform
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, ValidationError

from search.errors import SearchError
from search.ranking import RankedTrial, best_trials
from search.stages import Stage, list_stages
from search.study import Study
from search.workers import list_workers

PACKAGES = ("agesearch", "tensorflow", "keras", "optuna", "numpy", "h5py", "sqlalchemy")


class Hyperparameters(BaseModel):
    """What the search was for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: PositiveFloat = Field(allow_inf_nan=False)
    l2: NonNegativeFloat = Field(allow_inf_nan=False)


class Training(BaseModel):
    """How the trials were trained, as far as the final fit follows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Literal["default", "paper", "strong"] = "default"
    batch_size: PositiveInt = 32
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class Origin(BaseModel):
    """The dataset that the search saw, by its digest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str | None = None


class Configuration(BaseModel):
    """What a fit needs, and the tables that are for people alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hyperparameters: Hyperparameters
    training: Training = Training()
    dataset: Origin = Origin()
    trial: Any = None
    study: Any = None
    stages: Any = None
    versions: Any = None


def read_configuration(path: Path) -> Configuration:
    """Read a file that `export` wrote, or one written by hand with `[hyperparameters]` alone.

    Raises SearchError where it is missing, no TOML, or has a wrong value or an unknown key.
    """
    try:
        return Configuration.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SearchError(f"the configuration {path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SearchError(f"the configuration {path} has a wrong {place}: {first['msg'].lower()}") from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or a number of 5000 digits
        raise SearchError(f"the configuration {path} is not TOML: {error}") from error


def export_configuration(study: Study) -> bytes:
    """Return the study's best configuration and its provenance as TOML.

    Raises SearchError where no trial has finished with a value yet.
    """
    ranked = best_trials(study, 1)
    if not ranked:
        raise SearchError(f"the study {study.name!r} has no finished trial with a value yet; let the search go on")
    return tomli_w.dumps(_document(study, ranked[0])).encode()


def _document(study: Study, best: RankedTrial) -> dict[str, Any]:
    spec = study.spec
    return {
        "hyperparameters": best.params,
        "training": {
            "recipe": spec.recipe, "batch_size": spec.batch_size, "precision": spec.precision,
        },
        "dataset": {"digest": spec.dataset},
        "trial": {
            "number": best.number, "stage": best.stage, "slot": best.slot,
            "score": best.score, "validation_mae": best.validation_mae, "training_mae": best.training_mae,
            "penalty": best.penalty, "seconds": best.seconds,
            "images": spec.images, "epochs": spec.epochs, "threads": spec.threads,
            "device": next((each.device for each in list_workers(study) if each.worker == best.worker), "unknown"),
            "seeds": best.seeds,
        },
        "study": {
            "name": study.name, "storage": str(study.storage), "seed": spec.seed, "sampler": spec.sampler,
            "trials": list(spec.trials), "max_attempts": spec.max_attempts,
        },
        "stages": [_stage(stage) for stage in list_stages(study)],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }  # fmt: skip


def _stage(stage: Stage) -> dict[str, Any]:
    table: dict[str, Any] = {"number": stage.number, "trials": stage.slots}
    table["box"] = {each.name: [each.low, each.high] for each in stage.box.ranges}
    if stage.narrowing:
        table["rule"], table["reason"] = stage.narrowing.rule, stage.narrowing.reason
        table["from_trials"] = [trial.number for trial in stage.narrowing.best]
    return table
