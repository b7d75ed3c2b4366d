"""What a fit of images reads of the file that `export` wrote: hyperparameters, training, network, dataset."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, ValidationError

from search.errors import SearchError
from search.results.configuration import read_document
from search.space.ranges import Value
from search.study.spec import StudySpec
from search.tasks.images.network_file import network_tables, network_text
from search.tasks.images.specifying import network_of

Count = Annotated[int, Field(gt=0, le=2**31 - 1)]


class Hyperparameters(BaseModel):
    """What the search was for; what it did not vary is None."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: PositiveFloat = Field(allow_inf_nan=False)
    l2: NonNegativeFloat = Field(allow_inf_nan=False)
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    batch_size: Count | None = None
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
    batch_size: Count = 32
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: Count | None = None


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
    score: Any = None
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
    document = read_document(path)
    try:
        return Configuration.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SearchError(f"the configuration {path} has a wrong {place}: {first['msg'].lower()}") from error


def tables_of(spec: StudySpec) -> dict[str, Any]:
    """Return the tables that the file has of the task."""
    task = spec.task
    training = {name: task.settings[name] for name in ("recipe", "batch_size", "precision", "threads")}
    return {
        "training": training,
        "network": network_tables(network_of(task)),
        "dataset": {"digest": task.files["data"].digest, "unit": task.score.unit},
    }
