"""The note that explains a study on its page, in Markdown: how to read its trials, whence its boxes, what came out."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from data.counting import counted
from model.quantity import Quantity, decimal
from search.results.choice import choose
from search.results.ranking import RankedTrial, best_trials
from search.results.verdict import table
from search.settings import Ranges, Settings
from search.slots.slots import Slots
from search.space.box import Box
from search.space.enqueued import written
from search.space.narrowing import FinishedTrial, Narrowing
from search.space.ranges import Choices, LogRange, Range, Value, text_of
from search.study.plans import Finalists, Variants
from search.study.spec import StudySpec
from search.study.specifying import SAME_NAMES, finalist_settings
from search.study.stages import Stage, list_stages
from search.study.study import Study
from search.study.variants import Experiment

OWN_PART = "*Written by agesearch. What you write below this line stays.*"

_READING = """\
A trial's value is its score{unit}: the MAE on the validation split, measured once, at its end{penalty}. Its
intermediate values are {values}; its learning curve, an artifact, shows the training MAE of each epoch and the
validation MAE at the end. Its attributes are *stage* and *slot*, its place in the search; *attempt*, above 1 if an
earlier one failed or its worker died; *token*, that of its claim; *seeds*, which all its random draws follow from;
*worker* and *device*; *training_mae*, *validation_mae* and *penalty*{unit}; and *seconds*."""


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
        f"With the dataset whose digest is `{study.spec.dataset}`:",
        f"```\n{command_of(study.name, study.spec)}\n```",
        "---",
        OWN_PART,
    ]
    return "\n\n".join(parts) + "\n"


def _experiment_note(study: Study, experiment: Experiment) -> str:
    rows = [
        (
            each.name,
            each.images,
            each.epochs,
            each.repeats,
            ", ".join(f"{k} {text_of(v)}" for k, v in each.params.items()),
        )
        for each in experiment.variants
    ]
    spec = study.spec
    parts = (
        f"# {study.name}",
        f"The experiment *{experiment.name}*: variants of one training, side by side. The parameter *variant* "
        "says which a trial is, its attribute *repeat* which of the variant's trials. Its value is an error, as are "
        "its intermediate values, one for each epoch.",
        _table(("variant", "images", "epochs", "trials", "parameters"), rows),
        f"Recipe {spec.recipe}, seed {spec.seed}, precision {spec.precision}, dataset `{spec.dataset}`.",
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
    flags: dict[str, object] = {
        "data": "FILE.h5", "study": name, "seed": spec.seed, "trials": spec.trials, "precision": spec.precision,
        "space": ",".join(f"{each.name}={_written(each)}" for each in spec.box.ranges),
    }  # fmt: skip
    if spec.ranges is not None:
        pair = [each for each in spec.ranges.ranges if isinstance(each, LogRange) and each.name in Ranges.model_fields]
        flags["ranges"] = ",".join(f"{each.name}={each.low!r}:{each.high!r}" for each in pair)
    if spec.network is not None:
        flags["network"] = "NETWORK.toml"
    if spec.enqueued:
        flags["enqueue"] = written(spec.enqueued)
    flags |= finalist_settings(spec.finalists)
    plain = {name: getattr(spec, name) for name in SAME_NAMES if name not in flags}
    flags |= {name: value for name, value in plain.items() if value != Settings.model_fields[name].default}
    return " \\\n  ".join(
        ["agesearch search", *(f"--{key.replace('_', '-')} {_typed(value)}" for key, value in flags.items())]
    )


def _written(one: Range) -> str:
    """Return a range as the setting `space` takes it."""
    if isinstance(one, Choices):
        return "|".join(map(str, one.values))
    return f"{one.kind}:{one.low!r}:{one.high!r}"


def _stage(stage: Stage) -> Iterator[str]:
    plan = stage.plan
    if isinstance(plan, Variants):  # an experiment has a note of its own
        return
    if isinstance(plan, Finalists):
        yield f"## Finalists: {counted(plan.slots, 'trial')}"
        yield (
            f"The {_best_of(len(plan.candidates))} trained {plan.repeats} times each, on "
            f"{counted(plan.images, 'image')} for {counted(plan.epochs, 'epoch')}, with seeds that are the same for "
            "all and that the search had not used."
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
        heading, *rows = table(choice.verdict)
        yield _table(heading, rows)
        yield f"Rule: {choice.verdict.rule}."
    yield "## The chosen configuration"
    yield _table(("", f"trial {choice.trial.number}"), _facts(choice.params, choice.trial, Quantity(study.spec.unit)))
    yield f"Why: {choice.reason}."
    yield "This writes it and its provenance to a file:"
    yield f"```\nagesearch export --study {_typed(study.name)} --out best.toml\n```"


def _shown(one: Range) -> str:
    return str(one).removeprefix(f"{one.name} ").replace("|", "or")


def _reading(spec: StudySpec) -> str:
    penalty = ", and the penalty" if spec.recipe == "paper" else ""
    values = "the training MAE of each epoch, on the trial's own images"
    if spec.pruning != "none":
        values = (
            f"the MAE on {spec.pruning_images} images of the validation split after each epoch, by which it may have "
            f"been pruned ({spec.pruning}); *reason* and *pruned_after* say why and when"
        )
    # In a code span: a unit is the dataset's, which may be a stranger's, and could be Markdown.
    unit = f", in `{spec.unit.replace('`', '')}`" if spec.unit else ""
    return _READING.format(values=values, penalty=penalty, unit=unit)


def _facts(params: Mapping[str, Value], trial: RankedTrial, quantity: Quantity) -> list[tuple[object, ...]]:
    measured = (("score", trial.score), ("validation MAE", trial.validation_mae), ("training MAE", trial.training_mae))
    return [*params.items(), *((name, quantity.error(error)) for name, error in measured)]


def _row(trial: FinishedTrial, box: Box) -> tuple[object, ...]:
    return trial.number, decimal(trial.value), *(trial.params[name] for name in box.names)


def _table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heading, ["---"] * len(heading), *([text_of(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _typed(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else shlex.quote(str(value))
