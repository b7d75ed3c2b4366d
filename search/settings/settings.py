"""What can be set: each setting with its type, its default, and the words of its help."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    SecretStr,
)

from search.errors import SearchError
from search.settings.types import (
    Bounds,
    Budget,
    Count,
    HostName,
    NoneAsText,
    later_bounds,
    no_truth,
    printable,
    read_by,
    split_at,
    url_path,
)
from search.space.enqueued import Wanted, read_enqueued
from search.space.parameters import read_space
from search.space.ranges import Range
from search.space.samplers import SamplerName

SECRETS = frozenset({"dashboard_password"})
"""Settings without a flag: everybody can read a command line."""

UNTOLD = SECRETS | {"storage"}
"""Settings whose value no message may hold as it was given."""

NEVER_EMPTY = UNTOLD | {"study", "storage_password_file", "dashboard_password_file"}
"""Settings for which an empty environment variable is an error; others ignore it."""


def _in(panel: str) -> Callable[..., Any]:
    """Return what defines a setting that the help of commands shows in `panel`."""
    return partial(Field, json_schema_extra={"panel": panel})


_study, _trials, _searched, _sampling = map(_in, ("Study", "Budget", "Search space", "Sampling and pruning"))
_finalists, _training, _workers = map(_in, ("Finalists", "Training", "Workers"))
_fit, _dashboard, _program = map(_in, ("Fit", "Dashboard", "Program"))


class Settings(BaseModel):
    """All settings of the commands; each field is a key of the TOML file, a variable and a flag."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    data: Annotated[Path | None, NoneAsText] = _study(
        None, description="The dataset, an .h5 file made by 'agesearch data build'."
    )
    storage: str = _study(
        "sqlite:///runs/study.db", repr=False, description="The database URL of the storage that holds the study."
    )
    storage_password_file: Annotated[Path | None, NoneAsText] = _study(
        None, description="A file with the storage's password, used if AGESEARCH_STORAGE_PASSWORD is not set."
    )
    study: Annotated[str, AfterValidator(printable)] = _study(
        "age", min_length=1, max_length=480, description="The study's name."
    )
    out: Path = _study(Path("runs"), description="The folder for logs and results.")
    artifacts: Annotated[Path | None, NoneAsText] = _study(
        None,
        description="The folder for trials' learning curves. none: a folder next to an SQLite file; with another "
        "database, no curves are kept.",
    )

    program: Annotated[Path | None, NoneAsText] = _program(
        None, description="Your own program, which a trial runs: a Python file, or any file that can be run."
    )
    command: Annotated[str | None, NoneAsText] = _program(
        None,
        description="A command instead, which is a process for each trial and whose last line on stdout is the value, "
        "as in 'python train.py --lr {lr} --seed {seed}'.",
    )
    python: Annotated[str | None, NoneAsText] = _program(
        None, description="The Python that runs the program, by default the one that runs this."
    )
    watch: Annotated[tuple[str, ...] | None, split_at(","), NoneAsText] = _program(
        None, description="Further files that decide the program's results: files, folders, or patterns, as in *.py."
    )
    allow_changed: bool = _program(
        False, description="Go on with a study though the program's files have changed since it was created."
    )
    direction: Literal["minimize", "maximize"] = _program(
        "minimize", description="Whether the lowest or the highest value is the best."
    )
    metric: Annotated[str, AfterValidator(printable)] = _program(
        "value", min_length=1, max_length=80, description="What the program's value is called."
    )
    unit: Annotated[str, AfterValidator(printable)] = _program(
        "", max_length=40, description="The unit of the program's value, if it has one."
    )
    budget: Budget = _program(None, description="Numbers that a trial is given besides its parameters, as in epochs=5.")
    finalist_budget: Budget = _program(
        None, description="Those of a finalist's trial which are others, as in epochs=20."
    )
    fit: Budget = _program(None, description="Those of the final fit which are others, as in epochs=100.")
    trial_minutes: Annotated[PositiveFloat | None, NoneAsText] = _program(
        None, description="Minutes after which a trial's program is ended, and the attempt has failed; none: no limit."
    )
    trial_memory: Annotated[PositiveFloat | None, NoneAsText] = _program(
        None, description="GiB of memory that each of a trial's processes may have of its own; none: no limit."
    )

    trials: Annotated[tuple[Count, ...], split_at(",")] = _trials(
        (50, 50), min_length=1, description="Trials in each stage, as in 50,50."
    )
    seed: Annotated[int, Field(ge=0), BeforeValidator(no_truth)] = _searched(
        0, description="The seed that every random draw follows from."
    )
    learning_rate: Bounds = _searched((1e-6, 1e-3), description="Learning rates of the first stage, as in 1e-6:1e-3.")
    l2: Bounds = _searched((1e-6, 1e1), description="L2 coefficients of the first stage, as in 1e-6:1e1.")
    space: Annotated[tuple[Range, ...] | None, read_by(read_space)] = _searched(
        None,
        description="Further parameters to search: a table, or text such as dropout=linear:0:0.5,batch_size=16|32.",
    )
    ranges: Annotated[dict[str, tuple[int | float, int | float]] | None, read_by(later_bounds)] = _searched(
        None,
        description="Ranges for all later stages instead of narrowing, as in learning_rate=1e-5:1e-3,l2=1e-5:1e-3; "
        "one that is left out stays as it was in the first stage.",
    )
    sampler: SamplerName = _sampling(
        "random",
        description="How each stage samples its box: random, sobol (evenly spread), or by learning from finished "
        "trials: tpe, cmaes, gp (a Gaussian process; needs the extra gp).",
    )
    pruning: Literal["none", "median", "halving"] = _sampling(
        "none",
        description="Whether poor trials end early. median: when the best error so far is above the median of the "
        "stage's trials. halving: when a trial is not in the better half after epochs 1, 2, 4, 8...",
    )
    pruning_images: Count = _sampling(
        125, description="Validation images, the same for all trials, on which pruning judges each epoch."
    )
    enqueue: Annotated[tuple[Wanted, ...] | None, read_by(read_enqueued)] = _sampling(
        None, description="Configurations to try first, within the budget, as in lr=1e-4,l2=1e-4;lr=1e-3."
    )
    finalists: Annotated[int, Field(ge=0, le=2**31 - 1)] = _finalists(
        5, description="Configurations to train again after the last stage and choose among; 0: none."
    )
    finalist_repeats: Annotated[int, Field(ge=2, le=2**31 - 1)] = _finalists(
        3, description="How often each finalist is trained; all finalists share the same seeds."
    )
    finalist_images: Annotated[Count | None, NoneAsText] = _finalists(
        None, description="Training images per trial of a finalist; none: as many as in the search."
    )
    finalist_epochs: Annotated[Count | None, NoneAsText] = _finalists(
        None, description="Epochs per trial of a finalist; none: as many as in the search."
    )
    network: Annotated[Path | None, NoneAsText] = _training(
        None, description="A TOML file that lists the layers of a network to use instead of the paper's."
    )
    recipe: Literal["default", "paper"] = _training(
        "default",
        description="How trials are trained and judged: default, or paper (the paper's protocol, faults included).",
    )
    images: Count = _trials(500, description="Training images per trial.")
    epochs: Count = _trials(5, description="Epochs per trial.")
    batch_size: Count = _trials(32, description="Images per training step.")
    precision: Literal["auto", "float32", "bfloat16"] = _training(
        "auto",
        description="Precision of convolutions: float32, bfloat16, or auto (whichever is faster here, measured when"
        " the study is created).",
    )
    threads: Count = _training(1, description="CPU threads per worker.")
    max_attempts: Count = _workers(3, description="Failed attempts after which a slot is closed as failed.")
    workers: Literal["auto"] | Count = _workers(
        "auto",
        description="Worker processes. auto: one per GPU; without a GPU, one per physical core, or per as many "
        "cores as it has threads.",
    )
    on: Annotated[str, Field(pattern=r"^(here|ray|ray://[^/]+)$")] = _workers(
        "here",
        description="Where workers run: here, ray (the Ray cluster of this machine), or ray://HOST:PORT (another "
        "cluster).",
    )
    gpus_per_worker: Literal["auto"] | Annotated[float, Field(ge=0)] = _workers(
        "auto",
        description="GPUs, or the share of one, that Ray gives each worker; auto: one GPU to as many as per_gpu.",
    )
    per_gpu: Count = _workers(1, description="Workers that auto starts on each GPU; they share its memory equally.")

    fit_epochs: Count = _fit(50, description="The most epochs that the final fit trains for.")
    fit_patience: Annotated[Count | None, NoneAsText] = _fit(
        None, description="Epochs without a better validation error after which the fit ends; none: no limit."
    )
    fit_minutes: Annotated[PositiveFloat | None, NoneAsText] = _fit(
        None,
        description="Minutes of training after which the fit ends; none: no limit. Not for the recipes strong and "
        "light.",
    )
    fit_threads: Count | Literal["auto"] = _fit("auto", description="CPU threads of the fit; auto: all cores.")
    ensemble: Count = _fit(
        1,
        description="Networks that the fit trains one after another, from different seeds, to average their "
        "predictions.",
    )

    host: str = _dashboard("127.0.0.1", description="The address that the dashboard listens on.")
    port: Annotated[int, Field(ge=0, le=65535)] = _dashboard(8080, description="The dashboard's port; 0: any free one.")
    dashboard_password: SecretStr | None = _dashboard(
        None,
        min_length=1,
        description="The dashboard's password. It has no flag, because other users can see command lines.",
    )
    dashboard_password_file: Annotated[Path | None, NoneAsText] = _dashboard(
        None, description="A file with the dashboard's password, such as a container's secret."
    )
    dashboard_path: Annotated[str, AfterValidator(url_path)] = _dashboard(
        "/", description="The path that a proxy serves the dashboard under, as in /hpo."
    )
    dashboard_hosts: Annotated[tuple[HostName, ...] | None, split_at(","), NoneAsText] = _dashboard(
        None,
        description="Further host names that browsers reach the dashboard by, as through a proxy: ages.example.org.",
    )

    def require_data(self) -> Path:
        """Return the dataset; raise `SearchError` where none is named."""
        if self.data is None:
            raise SearchError("no dataset is named; give --data FILE.h5, made by 'agesearch data build'")
        return self.data


def panel_of(name: str) -> str:
    """Return the panel of a command's help that a setting is shown in."""
    extra = Settings.model_fields[name].json_schema_extra
    return str(extra["panel"]) if isinstance(extra, dict) else ""
