"""What a task is to the commands: how settings become its study, and how a worker runs its trials."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from search.settings.settings import Settings
from search.study.spec import StudySpec
from search.study.study import Study
from search.study.trial import RunTrial
from search.tasks.checking import Checked


@dataclass(frozen=True, slots=True)
class Devices:
    """What a machine has for workers: its GPUs by their indices, and how many workers its cores have room for."""

    gpus: Sequence[int]
    on_cpu: int


@dataclass(frozen=True, slots=True)
class Runner:
    """What runs a worker's trials, and the name of what it computes on."""

    run: RunTrial
    device: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a search has to beat: what is done, in words, and what that scores."""

    words: str
    score: float


class Task(Protocol):
    """What every task says of itself; a third one is one more folder next to this file."""

    kind: str

    def require_possible(self, settings: Settings) -> None:
        """Raise SearchError for what every worker would die of, before there is a study that asks for it."""

    def spec(self, settings: Settings, stored: StudySpec | None) -> StudySpec:
        """Return the study that the settings describe; if one is `stored`, they may differ in what they say alone."""

    def worker_settings(self, settings: Settings) -> Mapping[str, str]:
        """Return the settings that a worker needs besides the study's name and storage."""

    def threads(self, spec: StudySpec) -> int:
        """Return how many CPU threads each worker of a study has."""

    def devices(self, spec: StudySpec) -> Devices:
        """Return what this machine has for workers of a study."""

    def open(self, study: Study, settings: Settings, gpu_share: float) -> AbstractContextManager[Runner]:
        """Prepare to run trials of a study in this process; raise SearchError if it was made for other files."""

    def tables(self, spec: StudySpec) -> dict[str, Any]:
        """Return what an exported configuration has of the task, as tables of TOML."""

    def baseline(self, settings: Settings) -> Baseline | None:
        """Return what a search has to beat, if the task knows of such a thing."""

    def doubt(self, study: Study, settings: Settings) -> str:
        """Say in a sentence why the best trial may be worth nothing, or return ""."""

    def check(self, settings: Settings) -> Checked:
        """Run one slot's trial several times, and say whether it repeats; raise SearchError if it cannot be run."""
