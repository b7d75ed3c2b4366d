"""The configuration that a study chooses, and why: the best finalist, or the best trial while there is none."""

from dataclasses import dataclass

from search.counting import counted
from search.errors import SearchError
from search.results.ranking import RankedTrial, best_trials, nothing_found, trial_numbered
from search.results.verdict import Verdict, verdict
from search.space.ranges import Value
from search.study.slots import Slots
from search.study.study import Study


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen parameters, why they were chosen, the trial that found them, and the verdict if there is one."""

    params: dict[str, Value]
    reason: str
    trial: RankedTrial
    verdict: Verdict | None


def choose(study: Study, number: int | None = None) -> Choice:
    """Return the study's choice as things stand, or that of the trial `number`, which a user prefers.

    Raises SearchError where no trial has finished with a value yet, or that one has not, or the study is an experiment.
    """
    if study.spec.experiment is not None:
        raise SearchError(
            f"the study {study.name!r} compares variants and chooses none; name one that 'agesearch search' made"
        )
    ranked = best_trials(study, 1)
    if not ranked:
        raise SearchError(f"{nothing_found(study)}; 'agesearch status' shows how far it has got")
    judged = verdict(study)
    if number is not None:
        own = trial_numbered(study, number)
        return Choice(own.params, f"trial {number}, which was asked for", own, judged)
    if judged and judged.best:
        finalists, seeds = counted(len(judged.finalists), "finalist"), counted(judged.repeats, "seed")
        reason = f"the best mean of {finalists} over {seeds} each"
        return Choice(judged.best.params, reason, trial_numbered(study, judged.best.trials[0]), judged)
    return Choice(ranked[0].params, _without_verdict(study, judged), ranked[0], judged)


def is_done(study: Study) -> bool:
    """Tell whether all slots of all stages are closed."""
    opened = Slots(study).tally()
    return len(opened) == len(study.spec.stage_sizes) and all(stage.counts.closed == stage.slots for stage in opened)


def _without_verdict(study: Study, judged: Verdict | None) -> str:
    if study.spec.finalists is None:
        so_far = "" if is_done(study) else " so far, of an unfinished study"
        return f"the best single trial{so_far} (finalists are disabled)"
    if judged is None:
        return "the best single trial so far; the finalists have not ended"
    if not judged.finalists:
        return "the best single trial; none had a value when the finalists were to be chosen"
    return "the best single trial; no finalist ended with a score for every seed"
