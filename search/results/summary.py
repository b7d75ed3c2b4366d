"""Where a study stands, for people and programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from search.results.ranking import best_score
from search.results.verdict import Verdict, verdict
from search.slots.slots import FailedSlot, SlotCounts, Slots
from search.space.samplers import remarks
from search.study.finished import measured
from search.study.planning import stage_sizes
from search.study.stages import Stage, list_stages
from search.study.study import Study, StudySpec
from search.study.trials import PRUNED_AFTER
from search.study.workers import WorkerView, list_workers

_LATER = {
    "sampled": "its ranges follow from the stage before",
    "finalists": "the best configurations once more, when the stages are done",
}


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One stage: its kind, the trials it shall have, how many slots are in each state, and its plan as text.

    `pruned` of its finished trials were ended early.
    The plan's text is "" until it is known; the finalists may turn out to be fewer than expected until then.
    """

    number: int
    kind: str
    trials: int
    counts: SlotCounts
    plan: str
    pruned: int = 0


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
    unit: str
    failed: tuple[FailedSlot, ...] = ()
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the study, its stages, remarks and failed slots as text, a line each."""
        best = (
            "no trial has finished with a value yet"
            if self.best is None
            else f"best {self.best:.3f} {self.unit}".rstrip()
        )
        failed = (f"stage {each.stage}, slot {each.slot} was closed as failed: {each.reason}" for each in self.failed)
        return [f"study {self.study} in {self.storage}: {best}", *map(_line, self.stages), *self.remarks, *failed]


def summary(study: Study) -> StudySummary:
    """Read where `study` stands."""
    opened = {stage.number: stage for stage in list_stages(study)}
    sizes = enumerate(stage_sizes(study.spec), start=1)
    stages = tuple(_stage(study, number, size, opened.get(number)) for number, size in sizes)
    spec = study.spec
    return StudySummary(
        study=study.name,
        storage=str(study.storage),
        stages=stages,
        best=best_score(study),
        verdict=verdict(study),
        workers=list_workers(study),
        unit=spec.unit,
        failed=Slots(study).failed(),
        remarks=tuple(_remarks(spec)) if spec.experiment is None else (),
    )


def _remarks(spec: StudySpec) -> Iterator[str]:
    yield from remarks(spec.sampler, spec.box)
    if spec.pruning != "none":
        yield (
            f"pruning by {spec.pruning} goes by the trials that there are, so the same seed gives the same search "
            "with one worker alone"
        )


def _stage(study: Study, number: int, size: int, opened: Stage | None) -> StageSummary:
    if opened is not None:
        plan = opened.plan
        with study.storage.engine.begin() as tx:
            pruned = len(measured(tx, study.name, number, PRUNED_AFTER))
        return StageSummary(number, plan.kind, plan.slots, Slots(study).counts(number), str(plan), pruned)
    if study.spec.experiment is not None:
        return StageSummary(number, "variants", size, SlotCounts(waiting=size), str(study.spec.experiment))
    kind = "sampled" if number <= len(study.spec.trials) else "finalists"
    known = study.spec.box if number == 1 else study.spec.ranges
    return StageSummary(number, kind, size, SlotCounts(waiting=size), str(known or "") if kind == "sampled" else "")


def _line(stage: StageSummary) -> str:
    counts = stage.counts
    running = f", {counts.claimed} running" if counts.claimed else ""
    failed = f", {counts.failed} failed" if counts.failed else ""
    pruned = f" ({stage.pruned} pruned)" if stage.pruned else ""
    title = f"stage {stage.number}" if stage.kind == "sampled" else stage.kind
    finished = f"{counts.finished}/{stage.trials} finished{pruned}{running}{failed}"
    return f"{title}: {finished}; {stage.plan or _LATER[stage.kind]}"
