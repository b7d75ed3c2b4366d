"""The best configuration as a TOML file: written by `export` with where it came from, read by `fit`."""

import math
import platform
import tomllib
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, ValidationError

from search.errors import SearchError
from search.results.choice import Choice, choose
from search.space.network_file import network_tables, network_text
from search.space.ranges import Choices, Range, Value
from search.study.plans import Sampled
from search.study.stages import Stage, list_stages
from search.study.study import Study

BatchSize = Annotated[int, Field(gt=0, le=2**31 - 1)]

PACKAGES = ("agesearch", "tensorflow", "keras", "optuna", "numpy", "h5py", "sqlalchemy")


class Hyperparameters(BaseModel):
    """What the search was for; what it did not vary is None."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: PositiveFloat = Field(allow_inf_nan=False)
    l2: NonNegativeFloat = Field(allow_inf_nan=False)
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    batch_size: BatchSize | None = None
    batch_norm: Literal["convolutions", "blocks", "dense", "none"] | None = None
    initializer: Literal["xavier", "gaussian"] | None = None
    width: Annotated[int, Field(gt=0, le=2**15)] | None = None
    augmentation: Annotated[float, Field(ge=0, le=2)] | None = None

    def varied(self) -> dict[str, Value]:
        """Return what else was searched, but the batch size, which is the fit's own."""
        return self.model_dump(exclude_none=True, exclude={"learning_rate", "l2", "batch_size"})


class Training(BaseModel):
    """How the trials were trained, as far as the final fit follows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Literal["default", "paper", "strong", "light"] = "default"
    batch_size: BatchSize = 32
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class Origin(BaseModel):
    """The dataset that the search saw, by its digest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str | None = None
    unit: str = "years"


class Configuration(BaseModel):
    """What a fit needs, and the tables that are for people alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hyperparameters: Hyperparameters
    training: Training = Training()
    network: list[dict[str, Any]] = []
    dataset: Origin = Origin()
    choice: Any = None
    trial: Any = None
    finalists: Any = None
    study: Any = None
    stages: Any = None
    versions: Any = None

    def own_network(self) -> str | None:
        """Return the network as a study keeps it; None where it is the paper's. Raises ModelError if it is none."""
        return network_text(self.network) if self.network else None


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


def export_configuration(study: Study, trial: int | None = None) -> bytes:
    """Return the study's best configuration, or that of one of its trials, and its provenance as TOML.

    Raises SearchError where no trial has finished with a value yet, or that one has not.
    """
    return tomli_w.dumps(_document(study, choose(study, trial))).encode()


def _document(study: Study, choice: Choice) -> dict[str, Any]:
    spec, best = study.spec, choice.trial
    return {
        "hyperparameters": choice.params,
        "training": {
            "recipe": spec.recipe, "batch_size": spec.batch_size, "precision": spec.precision,
        },
        "network": network_tables(spec.network),
        "dataset": {"digest": spec.dataset, "unit": spec.unit},
        "choice": _choice(choice),
        "trial": {
            "number": best.number, "stage": best.stage, "slot": best.slot,
            "score": best.score, "validation_mae": best.validation_mae, "training_mae": best.training_mae,
            "penalty": best.penalty, "seconds": best.seconds,
            "images": best.images, "epochs": best.epochs, "threads": spec.threads,
            "device": best.device, "seeds": best.seeds,
        },
        "study": {
            "name": study.name, "storage": str(study.storage), "seed": spec.seed, "sampler": spec.sampler,
            "trials": list(spec.trials), "max_attempts": spec.max_attempts,
        },
        "stages": [_stage(stage) for stage in list_stages(study)],
        "finalists": _finalists(choice),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }  # fmt: skip


def _choice(choice: Choice) -> dict[str, Any]:
    judged = choice.verdict
    if judged is None:
        return {"reason": choice.reason}
    budget = {"repeats": judged.repeats, "images": judged.images, "epochs": judged.epochs}
    return {"reason": choice.reason, "rule": judged.rule, **budget}


def _finalists(choice: Choice) -> list[dict[str, Any]]:
    """Return each finalist as a table; TOML has no null, so that what is missing is left out, and a score is nan."""
    tables = (asdict(each) for each in choice.verdict.finalists) if choice.verdict else ()
    return [
        {key: value for key, value in table.items() if value is not None}
        | {"scores": [math.nan if score is None else score for score in table["scores"]]}
        for table in tables
    ]


def _range(searched: Range) -> list[Value] | dict[str, list[float]]:
    """Return a range as the setting `space` has it."""
    if isinstance(searched, Choices):
        return list(searched.values)
    return {searched.kind: [searched.low, searched.high]}


def _stage(stage: Stage) -> dict[str, Any]:
    table: dict[str, Any] = {"number": stage.number, "kind": stage.plan.kind, "trials": stage.plan.slots}
    table["box"] = {each.name: _range(each) for each in stage.plan.box.ranges}
    if isinstance(stage.plan, Sampled) and stage.plan.narrowing:
        narrowing = stage.plan.narrowing
        table["rule"], table["reason"] = narrowing.rule, narrowing.reason
        table["from_trials"] = [trial.number for trial in narrowing.best]
    return table
