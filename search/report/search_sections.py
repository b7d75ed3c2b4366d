"""The search in the report: Table II beside the paper's, the boxes and why, the map, scores, curves, importances."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from search.errors import SearchError
from search.report.paper import TABLE_2
from search.report.search_figures import (
    draw_importances,
    draw_map,
    draw_parallel,
    draw_scores,
    draw_trial_curves,
    name_of,
)
from search.report.sections import Cell, Column, Figure, LeftOut, Listing, Part, Section, Table
from search.report.study_trials import LEAST_TRIALS, ShownTrial, frozen_trials, importances, shown
from search.search_map import search_map
from search.slots import Slots
from search.study import Study

SHOWN = 5
"""The paper's Table II has five trials."""


def search_section(study: Study) -> Section | LeftOut:
    """Show a study as it stands now."""
    frozen = frozen_trials(study)
    if not frozen:
        return LeftOut(
            "Search", f"the study {study.name!r} has no finished trial with a value yet; run 'agesearch search'"
        )
    trials = [shown(trial) for trial in frozen]
    by_stage = {
        stage: importances([trial for trial in frozen if trial.user_attrs["stage"] == stage])
        for stage in sorted({trial.stage for trial in trials})
    }
    parts = (table_2(trials), *_narrowings(study), *_map(study), *_figures(trials), *_importances(by_stage))
    return Section("Search", _text(study, trials), parts)


def table_2(trials: Sequence[ShownTrial]) -> Table:
    """Return the best trials beside those of the paper; parameters that span decades as log10, others as they are."""
    best = sorted(trials, key=lambda trial: (trial.score, trial.stage, trial.slot))[:SHOWN]
    names = list(dict.fromkeys(name for trial in best for name in trial.params))
    penalised = any(trial.score != trial.validation_mae for trial in best)
    columns = (
        Column("trial"),
        Column("stage"),
        Column("validation MAE + penalty (years)" if penalised else "validation MAE (years)", ".3f"),
        Column("training MAE (years)", ".3f"),
        *(Column(f"log10({name_of(name)})" if _is_log(best, name) else name_of(name), ".3f") for name in names),
    )
    ours: list[tuple[Cell, ...]] = [
        (str(one.number), str(one.stage), one.score, one.training_mae, *(_parameter(best, one, name) for name in names))
        for one in best
    ]
    papers: list[tuple[Cell, ...]] = [
        ("paper", "2", one.validation_loss, one.training_loss, *(_paper(one, name) for name in names))
        for one in TABLE_2
    ]
    caption = (
        f"Table II. The {len(best)} best trials, and below them the paper's five. The paper's are losses with the L2 "
        "penalty in them, and each row is one training: the noise of one is not small beside the differences."
    )
    return Table("table-2-search", caption, columns, (*ours, *papers))


def _text(study: Study, trials: Sequence[ShownTrial]) -> tuple[str, ...]:
    spec = study.spec
    counts = [Slots(study).counts(stage) for stage in range(1, len(spec.trials) + 1)]
    finished, failed = sum(each.finished for each in counts), sum(each.failed for each in counts)
    asked = sum(spec.trials)
    lines = [
        f"Study {study.name}: {finished} of {asked} trials have finished, {len(trials)} of them with a value"
        f"{f', and {failed} slots were closed as failed' if failed else ''}. A trial trains on {spec.images} images "
        f"for {spec.epochs} epochs, batch {spec.batch_size}, by the recipe {spec.recipe}, and is judged on the whole "
        f"validation split. Seed {spec.seed}, sampler {spec.sampler}, precision {spec.precision}, "
        f"{spec.threads} {'thread' if spec.threads == 1 else 'threads'}."
    ]
    if not any(trial.curve for trial in trials):
        lines.append("No trial has reported an error before its end, so there are no trial curves.")
    return tuple(lines)


def _narrowings(study: Study) -> Iterator[Part]:
    from search.narrowing import explain
    from search.stages import sampled_stages

    for number, plan in sampled_stages(study):
        if plan.narrowing:
            yield Listing(f"How the box of stage {number} came about.", explain(plan.narrowing))


def _map(study: Study) -> Iterator[Part]:
    try:
        found = search_map(study)
    except SearchError:  # it searches a single parameter
        return
    caption = (
        f"The search map: {name_of(found.x)} against {name_of(found.y)}, a trial a mark, by the colour of its "
        "validation error, with the box that each stage sampled from."
    )
    alternative = f"{len(found.trials)} trials in the plane of {name_of(found.x)} and {name_of(found.y)}."
    yield Figure("search-map", caption, alternative, draw_map(found, ()))
    columns = (
        Column("trial"),
        Column("stage"),
        Column("slot"),
        Column(found.x, ".3e"),
        Column(found.y, ".3e"),
        Column("validation MAE (years)", ".3f"),
        Column("score (years)", ".3f"),
    )
    rows = [(one.number, one.stage, one.slot, one.x, one.y, one.validation_mae, one.score) for one in found.trials]
    yield Table("search-map", "All trials of the search map.", columns, tuple(rows), folded=True)


def _figures(trials: Sequence[ShownTrial]) -> Iterator[Part]:
    yield Figure(
        "search-scores",
        "Every trial's score in the order in which they were started, and the best so far.",
        f"{len(trials)} scores in their order.",
        draw_scores(trials),
    )
    reported = [trial for trial in trials if trial.curve]
    if reported:
        yield Figure(
            "search-trial-curves",
            "Trial curves: validation error epoch by epoch, by the colour of where it ended.",
            f"The curves of {len(reported)} trials.",
            draw_trial_curves(reported),
        )
    yield Figure(
        "search-parallel",
        "Parallel coordinates: a line for each trial, through its parameters to its validation error.",
        f"The parameters and errors of {len(trials)} trials as lines.",
        draw_parallel(trials),
    )


def _importances(by_stage: dict[int, dict[str, float]]) -> Iterator[Part]:
    known = {stage: shares for stage, shares in by_stage.items() if shares}
    if not known:
        return
    caption = (
        "Importance of the parameters, by PED-ANOVA as in Optuna: how differently the best tenth of a stage's trials "
        f"(at least five) is spread over its box; stages below {LEAST_TRIALS} trials are left out."
    )
    yield Figure("search-importances", caption, "Bars of the parameters' importance.", draw_importances(known))
    columns = (Column("stage"), Column("parameter"), Column("share of the importance", ".1%"))
    rows = [(stage, name_of(name), share) for stage, shares in known.items() for name, share in shares.items()]
    yield Table("search-importances", "The same in numbers.", columns, tuple(rows))


def _is_log(trials: Sequence[ShownTrial], name: str) -> bool:
    return all(getattr(one.distributions.get(name), "log", True) for one in trials)


def _parameter(best: Sequence[ShownTrial], trial: ShownTrial, name: str) -> Cell:
    value: Any = trial.params.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return math.log10(value) if _is_log(best, name) else float(value)
    return None if value is None else str(value)


def _paper(trial: Any, name: str) -> Cell:
    logs = {"learning_rate": trial.log_learning_rate, "l2": trial.log_l2}
    return logs.get(name)
