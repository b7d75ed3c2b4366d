"""The search in the report: Table II next to the paper's, the boxes and why, the map, scores, curves, importances."""

import textwrap
from collections.abc import Iterator, Sequence

from search.counting import amounts, counted
from search.errors import SearchError
from search.report.importances import LEAST_TRIALS, importances
from search.report.paper import CHOSEN, is_papers
from search.report.parallel_figure import draw_parallel
from search.report.search_figures import draw_importances, draw_map, draw_scores, draw_trial_curves
from search.report.sections import Column, Figure, LeftOut, Listing, Part, Section, Table
from search.report.trial_tables import finalist_table, table_2
from search.results.choice import choose
from search.results.ranking import RankedTrial, ranked_trials
from search.results.search_map import search_map
from search.results.verdict import verdict
from search.space.narrowing import explain
from search.space.ranges import text_of
from search.study.plans import Finalists
from search.study.slots import Slots
from search.study.stages import list_stages, sampled_stages
from search.study.study import Study

LINE = 100
"""Letters in a line of a listing, as many as a page has room for."""


def search_section(study: Study) -> Section | LeftOut:
    """Show a study as it stands now."""
    ranked = ranked_trials(study)
    if not ranked:
        return LeftOut(
            "Search", f"the study {study.name!r} has no finished trial with a value yet; run 'agesearch search'"
        )
    parts = (
        table_2(study, ranked),
        *_finalists(study),
        *_narrowings(study),
        *_map(study),
        *_figures(study, sorted(ranked, key=lambda trial: trial.number)),
        *_importances(study, ranked),
    )
    return Section("Search", _text(study, ranked), parts)


def _text(study: Study, trials: Sequence[RankedTrial]) -> tuple[str, ...]:
    spec = study.spec
    counts = [Slots(study).counts(stage) for stage in range(1, len(spec.trials) + 1)]
    finished, failed = sum(each.finished for each in counts), sum(each.failed for each in counts)
    asked = sum(spec.trials)
    choice = choose(study)
    chosen = ", ".join(f"{spec.task.title_of(name)} {text_of(value)}" for name, value in choice.params.items())
    paper = f" The paper set both learning rate and L2 to {CHOSEN:g}." if is_papers(spec.task) else ""
    settings = (f"{name.replace('_', ' ')} {value}" for name, value in spec.task.settings.items())
    shut = f", and {counted(failed, 'slot')} {'was' if failed == 1 else 'were'} closed as failed" if failed else ""
    lines = [
        f"Chosen: {chosen}, {choice.reason}.{paper}",
        f"Study {study.name}: {finished} of {counted(asked, 'trial')} {'has' if asked == 1 else 'have'} finished, "
        f"{len(trials)} of them with a value{shut}. A trial's budget is {amounts(spec.budget)}. Its score is "
        f"{spec.task.words.score}. Seed {spec.seed}, sampler {spec.sampler}, {', '.join(settings)}.",
    ]
    if not any(trial.curve for trial in trials):
        lines.append("No trial has reported a value before its end, so there are no trial curves.")
    return tuple(lines)


def _finalists(study: Study) -> Iterator[Part]:
    judged = verdict(study)
    if judged and judged.finalists:
        yield finalist_table(study, judged)


def _candidates(study: Study) -> set[int]:
    """Return the numbers of the trials whose configurations are trained again."""
    plans = [stage.plan for stage in list_stages(study)]
    finalists = [plan for plan in plans if isinstance(plan, Finalists)]
    return {number for plan in finalists for one in plan.candidates for number in one.trials}


def _narrowings(study: Study) -> Iterator[Part]:
    for number, plan in sampled_stages(study):
        if plan.narrowing:
            yield Listing(f"How the box of stage {number} came about.", _wrapped(explain(plan.narrowing)))


def _wrapped(text: str) -> str:
    """Break lines that are too long for a page, below the second of their two columns."""
    return "\n".join(textwrap.fill(line, LINE, subsequent_indent=" " * 7) for line in text.splitlines())


def _map(study: Study) -> Iterator[Part]:
    try:
        found = search_map(study)
    except SearchError:  # it searches a single parameter
        return
    task = study.spec.task
    measure = task.coloured.title if task.coloured else task.score.name
    caption = (
        f"The search map: {found.x.title} against {found.y.title}, a trial a mark, by the colour of its "
        f"{measure}, with the box that each stage sampled from. "
        f"Rings mark the {found.mark} trial and the finalists."
    )
    alternative = f"{counted(len(found.trials), 'trial')} in the plane of {found.x.title} and {found.y.title}."
    yield Figure("search-map", caption, alternative, draw_map(found, _candidates(study)))
    columns = (
        Column("trial"),
        Column("stage"),
        Column("slot"),
        Column(found.x.name, ".3e"),
        Column(found.y.name, ".3e"),
        Column(found.measure_label, ".3f"),
        Column(task.score.labelled("score"), ".3f"),
    )
    rows = [(one.number, one.stage, one.slot, one.x, one.y, one.measure, one.score) for one in found.trials]
    yield Table("search-map", "All trials of the search map.", columns, tuple(rows), folded=True)


def _figures(study: Study, trials: Sequence[RankedTrial]) -> Iterator[Part]:
    task = study.spec.task
    measure = task.coloured.title if task.coloured else task.score.name
    yield Figure(
        "search-scores",
        "Every trial's score in the order in which they were started, and the best so far.",
        f"{counted(len(trials), 'score')} in their order.",
        draw_scores(trials, task),
    )
    reported = [trial for trial in trials if trial.curve]
    if reported:
        yield Figure(
            "search-trial-curves",
            f"Trial curves: what each trial reported, by the colour of its {measure} at the end. Reported is "
            f"{task.words.reported}.",
            f"The curves of {counted(len(reported), 'trial')}.",
            draw_trial_curves(reported, task),
        )
    yield Figure(
        "search-parallel",
        f"Parallel coordinates: a line for each trial, through its parameters to its {measure}.",
        f"The parameters and errors of {counted(len(trials), 'trial')} as lines.",
        draw_parallel(trials, task),
    )


def _importances(study: Study, trials: Sequence[RankedTrial]) -> Iterator[Part]:
    by_stage = {
        number: importances([trial for trial in trials if trial.stage == number], plan.box, study.spec.task.score)
        for number, plan in sampled_stages(study)
    }
    known = {stage: shares for stage, shares in by_stage.items() if shares}
    if not known:
        return
    caption = (
        "Importance of the parameters, by PED-ANOVA as in Optuna: how differently the best tenth of a stage's trials "
        f"(at least five) is spread over its box; stages below {LEAST_TRIALS} trials are left out."
    )
    yield Figure(
        "search-importances", caption, "Bars of the parameters' importance.", draw_importances(known, study.spec.task)
    )
    columns = (Column("stage"), Column("parameter"), Column("share of the importance", ".1%"))
    rows = [
        (stage, study.spec.task.title_of(name), share)
        for stage, shares in known.items()
        for name, share in shares.items()
    ]
    yield Table("search-importances", "The same in numbers.", columns, tuple(rows))
