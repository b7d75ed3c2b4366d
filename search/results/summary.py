"""Where a study stands, for people and programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

from search.results.ranking import best_score
from search.results.verdict import Verdict, verdict
from search.space.samplers import remarks
from search.space.score import Score
from search.study.finished import count_without_value, measured
from search.study.slots import FailedSlot, SlotCounts, Slots
from search.study.spec import StudySpec
from search.study.stages import Stage, list_stages
from search.study.study import Study
from search.study.trials import PRUNED_AFTER
from search.study.workers import WorkerView, list_workers

_LATER = {
    "sampled": "its ranges follow from the stage before",
    "finalists": "the best configurations once more, when the stages are done",
}


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One stage: its kind, the trials it shall have, how many slots are in each state, and its plan as text.

    `pruned` of its finished trials were ended early, and `diverged` came to no number.
    The plan's text is "" until it is known; the finalists may turn out to be fewer than expected until then.
    """

    number: int
    kind: str
    trials: int
    counts: SlotCounts
    plan: str
    pruned: int = 0
    diverged: int = 0


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study's stages, the best score of a sampled trial, the verdict on the finalists if there is one, workers.

    `failed` are the slots that were closed without a finished trial. `remarks` say in a sentence each what has to be
    known of how it samples.
    """

    study: str
    storage: str
    stages: tuple[StageSummary, ...]
    best: float | None
    verdict: Verdict | None
    workers: tuple[WorkerView, ...]
    score: Score
    failed: tuple[FailedSlot, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def _so_far(self) -> str:
        return "" if all(stage.counts.closed == stage.trials for stage in self.stages) else " so far"

    def lines(self) -> list[str]:
        """Return the study, its stages, remarks and failed slots as text, a line each."""
        best = (
            "no trial has finished with a value yet"
            if self.best is None
            else f"best single trial{self._so_far} {self.score.shown(self.best)}"
        )
        failed = (f"stage {each.stage}, slot {each.slot} was closed as failed: {each.reason}" for each in self.failed)
        return [f"study {self.study} in {self.storage}: {best}", *map(_line, self.stages), *self.remarks, *failed]


def summary(study: Study) -> StudySummary:
    """Read where `study` stands."""
    spec, opened = study.spec, list_stages(study)
    later = [_later(spec, number, size) for number, size in enumerate(spec.stage_sizes, 1) if number > len(opened)]
    counts = (each.counts for each in Slots(study).tally())
    stages = (*map(_opened, repeat(study), opened, counts), *later)
    return StudySummary(
        study=study.name,
        storage=str(study.storage),
        stages=stages,
        best=best_score(study),
        verdict=verdict(study),
        workers=list_workers(study),
        score=spec.task.score,
        failed=Slots(study).failed(),
        remarks=tuple(_remarks(spec)) if spec.experiment is None else (),
    )


def _remarks(spec: StudySpec) -> Iterator[str]:
    yield from remarks(spec.sampler, spec.box)
    if spec.pruning != "none":
        yield (
            f"pruning by {spec.pruning} compares a trial with those so far, so the same seed gives the same search "
            "only with one worker"
        )


def _opened(study: Study, stage: Stage, counts: SlotCounts) -> StageSummary:
    plan = stage.plan
    with study.storage.engine.begin() as tx:
        pruned = len(measured(tx, study.name, stage.number, PRUNED_AFTER))
        without = count_without_value(tx, study.name, stage.number)
    return StageSummary(stage.number, plan.kind, plan.slots, counts, str(plan), pruned, without - pruned)


def _later(spec: StudySpec, number: int, size: int) -> StageSummary:
    if spec.experiment is not None:
        return StageSummary(number, "variants", size, SlotCounts(waiting=size), str(spec.experiment))
    kind = "sampled" if number <= len(spec.trials) else "finalists"
    known = spec.box if number == 1 else spec.ranges
    return StageSummary(number, kind, size, SlotCounts(waiting=size), str(known or "") if kind == "sampled" else "")


def _line(stage: StageSummary) -> str:
    counts = stage.counts
    running = f", {counts.claimed} running" if counts.claimed else ""
    failed = f", {counts.failed} failed" if counts.failed else ""
    without = [f"{count} {how}" for count, how in ((stage.pruned, "pruned"), (stage.diverged, "diverged")) if count]
    ended = f" ({', '.join(without)})" if without else ""
    title = f"stage {stage.number}" if stage.kind == "sampled" else stage.kind
    finished = f"{counts.finished}/{stage.trials} finished{ended}{running}{failed}"
    return f"{title}: {finished}; {stage.plan or _LATER[stage.kind]}"
