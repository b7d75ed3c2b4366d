"""The note that explains a study on its page, in Markdown: how to read its trials, whence its boxes, what came out."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from search.counting import amounts, counted, decimal
from search.results.choice import choose
from search.results.ranking import RankedTrial, best_trials
from search.results.verdict import table
from search.settings.settings import Settings
from search.space.box import Box
from search.space.enqueued import written as enqueued_text
from search.space.narrowing import FinishedTrial, Narrowing
from search.space.parameters import written
from search.space.ranges import Range, Value, text_of
from search.study.plans import Finalists, Variants
from search.study.slots import Slots
from search.study.spec import StudySpec
from search.study.stages import Stage, list_stages
from search.study.study import Study
from search.study.variants import Experiment

OWN_PART = "*Written by agesearch. What you write below this line stays.*"

_READING = """\
A trial's value is its score{unit}: {score}. Its intermediate values are {reported}. Its attributes are *stage* and
*slot*, its place in the search; *attempt*, above 1 if an earlier one failed or its worker died; *token*, that of its
claim; *seeds*, which all its random draws follow from; *worker* and *device*; *seconds*; *reason* and *pruned_after*,
if it was pruned; its budget; and whatever else the task measures. Files that it left are its artifacts."""


def study_note(study: Study) -> str:
    """Return the note of a study as it is now."""
    if study.spec.experiment is not None:
        return _experiment_note(study, study.spec.experiment)
    parts = [
        f"# {study.name}",
        _reading(study.spec),
        *(part for stage in list_stages(study) for part in _stage(stage)),
        *_chosen(study),
        "## To reproduce it",
        *(f"`{file.name}` is the file with the SHA-256 `{file.digest}`." for file in study.spec.task.files.values()),
        f"```\n{command_of(study.name, study.spec)}\n```",
        "---",
        OWN_PART,
    ]
    return "\n\n".join(parts) + "\n"


def _experiment_note(study: Study, experiment: Experiment) -> str:
    spec, budgets = study.spec, list(dict.fromkeys(name for one in experiment.variants for name in one.budget))
    rows = [
        (
            variant.name,
            *(variant.budget[name] for name in budgets),
            variant.repeats,
            ", ".join(f"{name} {text_of(value)}" for name, value in variant.params.items()),
        )
        for variant in experiment.variants
    ]
    settings = ", ".join(f"{name} {value}" for name, value in spec.task.settings.items())
    files = ", ".join(f"{name} `{file.digest}`" for name, file in spec.task.files.items())
    parts = (
        f"# {study.name}",
        f"The experiment *{experiment.name}*: variants of one training, side by side. The parameter *variant* "
        "says which a trial is, its attribute *repeat* which of the variant's trials. Its value is an error, as are "
        "its intermediate values, one for each epoch.",
        _table(("variant", *budgets, "trials", "parameters"), rows),
        f"Seed {spec.seed}, {settings}, {files}.",
        f"`agesearch experiment {experiment.name} --help` says how to run it, and `agesearch report` shows it.",
        "---",
        OWN_PART,
    )
    return "\n\n".join(parts) + "\n"


def with_own_part(note: str, before: str) -> str:
    """Return the note with what people have written below the last one, or instead of it."""
    _, line, own = before.partition(OWN_PART)
    kept = own if line else before
    return note + "\n" + kept.lstrip("\n") if kept.strip() else note


def command_of(name: str, spec: StudySpec) -> str:
    """Return the command that makes a study's trials once more, in another storage or under another name."""
    task = spec.task
    flags: dict[str, object] = {key: file.name for key, file in task.files.items() if key in Settings.model_fields}
    flags |= {"study": name, **task.settings, **_budget_flags(spec), **spec.core_settings()}
    flags["space"] = ",".join(f"{searched.name}={written(searched)}" for searched in spec.box.ranges)
    if spec.ranges is not None:
        flags["ranges"] = ",".join(f"{name}={low!r}:{high!r}" for name, (low, high) in spec.ranges.bounds.items())
    if spec.enqueued:
        flags["enqueue"] = enqueued_text(spec.enqueued)
    always = {"seed", "trials", "study", "finalists"}
    said = {key: value for key, value in flags.items() if key in always or value != _default(key)}
    return " \\\n  ".join(
        ["agesearch search", *(f"--{key.replace('_', '-')} {_typed(value)}" for key, value in said.items())]
    )


def _budget_flags(spec: StudySpec) -> dict[str, object]:
    """Return the flags of the budgets: those of a task's own, or all numbers in one."""
    finalist = spec.finalists.budget if spec.finalists else {}
    if all(name in Settings.model_fields for name in spec.budget):
        return {**spec.budget, **{f"finalist_{name}": number for name, number in finalist.items()}}
    return {"budget": _pairs(spec.budget), **({"finalist_budget": _pairs(finalist)} if finalist else {})}


def _pairs(budget: Mapping[str, object]) -> str:
    return ",".join(f"{name}={number}" for name, number in budget.items())


def _default(name: str) -> object:
    return Settings.model_fields[name].default if name in Settings.model_fields else None


def _stage(stage: Stage) -> Iterator[str]:
    plan = stage.plan
    if isinstance(plan, Variants):  # an experiment has a note of its own
        return
    if isinstance(plan, Finalists):
        cost = f" ({amounts(plan.budget)})" if plan.budget else ""
        yield f"## Finalists: {counted(plan.slots, 'trial')}"
        yield (
            f"The {_best_of(len(plan.candidates))} trained {plan.repeats} times each{cost}, with "
            "seeds that are the same for all and that the search had not used."
        )
        return
    yield f"## Stage {stage.number}: {counted(plan.slots, 'trial')}"
    if plan.narrowing is None:
        yield _table(("parameter", "box"), [(each.name, _shown(each)) for each in plan.box.ranges])
    else:
        yield from _narrowing(plan.narrowing)


def _best_of(configurations: int) -> str:
    return "best configuration is" if configurations == 1 else f"{configurations} best configurations are"


def _narrowing(narrowing: Narrowing) -> Iterator[str]:
    both = zip(narrowing.old.ranges, narrowing.new.ranges, strict=True)
    rows = [(old.name, _shown(old), _shown(new)) for old, new in both]
    yield _table(("parameter", "old box", "new box"), rows)
    yield f"Why: {narrowing.reason}.\n\nRule: {narrowing.rule}."
    if narrowing.best:
        yield "The trials it follows from:"
        yield _table(("trial", "score", *narrowing.old.names), [_row(each, narrowing.old) for each in narrowing.best])


def _chosen(study: Study) -> Iterator[str]:
    """Say which configuration the search ended with, and against which others; nothing before its end."""
    opened = Slots(study).tally()
    if len(opened) < len(study.spec.stage_sizes) or any(stage.counts.open for stage in opened):
        return
    if not best_trials(study, 1):
        return
    choice = choose(study)
    if choice.verdict is not None:
        heading, *rows = table(study, choice.verdict)
        yield _table(heading, rows)
        yield f"Rule: {choice.verdict.rule}."
    yield "## The chosen configuration"
    yield _table(("", f"trial {choice.trial.number}"), _facts(study, choice.params, choice.trial))
    yield f"Why: {choice.reason}."
    yield "This writes it and its provenance to a file:"
    yield f"```\nagesearch export --study {_typed(study.name)} --out best.toml\n```"


def _shown(one: Range) -> str:
    return str(one).removeprefix(f"{one.name} ").replace("|", "or")


def _reading(spec: StudySpec) -> str:
    # In a code span: a unit is the dataset's, which may be a stranger's, and could be Markdown.
    unit = spec.task.score.unit.replace("`", "")
    words = spec.task.words
    return _READING.format(score=words.score, reported=words.reported, unit=f", in `{unit}`" if unit else "")


def _facts(study: Study, params: Mapping[str, Value], trial: RankedTrial) -> list[tuple[object, ...]]:
    task = study.spec.task
    measured = ((one.title, trial.measure(one.name)) for one in task.measures)
    facts = (("score", trial.score), *measured)
    return [*params.items(), *((name, task.score.shown(number)) for name, number in facts)]


def _row(trial: FinishedTrial, box: Box) -> tuple[object, ...]:
    return trial.number, decimal(trial.value), *(trial.params[name] for name in box.names)


def _table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heading, ["---"] * len(heading), *([text_of(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _typed(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else shlex.quote(str(value))
