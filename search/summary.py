"""Where a study stands, for people and programs."""

from dataclasses import asdict, dataclass
from typing import Any

from search.ranking import best_trials
from search.slots import SlotCounts, Slots
from search.stages import Stage, list_stages
from search.study import Study
from search.workers import WorkerView, list_workers


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One stage: the trials it shall have, how many slots are in each state, and its box as text ("" until known)."""

    number: int
    trials: int
    counts: SlotCounts
    box: str


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study's stages, best score and workers."""

    study: str
    storage: str
    stages: tuple[StageSummary, ...]
    best: float | None
    workers: tuple[WorkerView, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the study and its stages as text, a line each."""
        best = "no trial has finished with a value yet" if self.best is None else f"best {self.best:.3f} years"
        return [f"study {self.study} in {self.storage}: {best}", *map(_line, self.stages)]


def summary(study: Study) -> StudySummary:
    """Read where `study` stands."""
    opened = {stage.number: stage for stage in list_stages(study)}
    stages = tuple(_stage(study, number, opened.get(number)) for number in range(1, len(study.spec.trials) + 1))
    best = best_trials(study, 1)
    return StudySummary(study.name, str(study.storage), stages, best[0].score if best else None, list_workers(study))


def _stage(study: Study, number: int, opened: Stage | None) -> StageSummary:
    trials = study.spec.trials[number - 1]
    if opened is None:
        known = study.spec.box if number == 1 else study.spec.ranges
        return StageSummary(number, trials, SlotCounts(waiting=trials), str(known or ""))
    return StageSummary(number, trials, Slots(study).counts(number), str(opened.box))


def _line(stage: StageSummary) -> str:
    counts = stage.counts
    running = f", {counts.claimed} running" if counts.claimed else ""
    failed = f", {counts.failed} failed" if counts.failed else ""
    box = stage.box or "its ranges follow from the stage before"
    return f"stage {stage.number}: {counts.finished}/{stage.trials} finished{running}{failed}; {box}"
