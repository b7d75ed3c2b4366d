"""From settings to a study of a user's program, new or resumed, and back to the settings that make it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from search.errors import SearchError
from search.settings.settings import Settings
from search.space.box import Box, with_bounds
from search.space.enqueued import in_terms_of
from search.space.score import Direction, Score
from search.study.spec import StudySpec
from search.study.task import Setting, TaskFile, TaskSpec, Words
from search.tasks.program.digests import changes, digests
from search.tasks.program.placeholders import require_placeholders
from search.tasks.program.program import Program
from search.tasks.specifying import completed, finalists_of, shared_of

OF_IMAGES: Final = (
    "data", "learning_rate", "l2", "network", "recipe", "images", "epochs", "batch_size", "precision",
    "pruning_images", "finalist_images", "finalist_epochs",
)  # fmt: skip
"""Settings that say nothing to a program, which has its own."""

MAIN: Final = "program"
"""What a study calls the program's own file."""


def program_of(settings: Settings) -> Program:
    """Return the program that the settings name; it runs in its own folder, and a command where the user is."""
    folder = settings.program.absolute().parent if settings.program else Path.cwd()
    chosen = {"python": settings.python} if settings.python else {}
    return Program(
        path=Path(settings.program.name) if settings.program else None,
        command=settings.command,
        watch=settings.watch or (),
        folder=folder,
        minutes=settings.trial_minutes,
        memory=settings.trial_memory,
        threads=settings.threads,
        **chosen,
    )


def spec_of(settings: Settings) -> StudySpec:
    """Return the study that the settings describe; raises SearchError for one that no program can run."""
    for name in OF_IMAGES:
        if name in settings.model_fields_set:
            raise SearchError(
                f"{name} is a setting for images, and the study is one of a program; a program's parameters are in "
                "space, and its other numbers in budget"
            )
    task = task_of(settings)
    if settings.space is None:
        named = settings.program or "PROGRAM"
        raise SearchError(f"no space is given; 'agesearch check {named}' prints the one that the program asks for")
    box, budget = Box(settings.space), settings.budget or {}
    if settings.command is not None:
        require_placeholders(settings.command, box.names, list(budget))
    return StudySpec(
        task=task,
        box=box,
        budget=budget,
        ranges=with_bounds(box, settings.ranges) if settings.ranges else None,
        finalists=finalists_of(settings, {**budget, **(settings.finalist_budget or {})}),
        enqueued=in_terms_of(box, settings.enqueue or ()),
        **shared_of(settings),
    )


def task_of(settings: Settings) -> TaskSpec:
    """Return the program as a study keeps it: its files' digests, and what else decides its results."""
    program = program_of(settings)
    own: dict[str, Setting] = {"direction": settings.direction, "metric": settings.metric, "threads": settings.threads}
    own |= {name: value for name in ("command", "python") if (value := getattr(settings, name)) is not None}
    own |= {"watch": ",".join(settings.watch)} if settings.watch else {}
    main = program.path.name if program.path else None
    files = {
        MAIN if name == main else name: TaskFile(str(program.folder / name), digest)
        for name, digest in digests(program).items()
    }
    return TaskSpec(
        kind="program",
        words=Words("the value that the program returned", "what the program reported at each step"),
        score=Score(settings.metric, settings.unit, settings.direction),
        settings=own,
        files=files,
    )


def spec_to_resume(settings: Settings, stored: StudySpec) -> StudySpec:
    """Return the study that the settings ask for where `stored` is there: they may differ in what they say alone.

    Raises SearchError, which names the files, if the program has changed, unless the settings allow it.
    """
    asked = with_stored(settings, stored)
    require_same_files(program_of(asked), stored.task, asked.allow_changed)
    spec = spec_of(asked)
    return replace(spec, task=replace(spec.task, files=stored.task.files))


def with_stored(settings: Settings, stored: StudySpec) -> Settings:
    """Return the settings with those of a stored study for all that they do not say themselves."""
    return completed(settings, _settings_of(stored))


def require_same_files(program: Program, task: TaskSpec, allowed: bool) -> None:
    """Raise SearchError if the program's files are not those of its study, and that is not allowed."""
    changed = changed_since({name: file.digest for name, file in task.files.items()}, program)
    if changed and not allowed:
        raise SearchError(
            f"{', '.join(changed)} since the study was created; restore it, start another --study, or go on with "
            "--allow-changed"
        )


def changed_since(before: Mapping[str, str], program: Program) -> tuple[str, ...]:
    """Return in words each how the program's files differ from those with the digests of a study."""
    main = program.path.name if program.path else MAIN
    return changes({main if name == MAIN else name: digest for name, digest in before.items()}, digests(program))


def _settings_of(stored: StudySpec) -> dict[str, Any]:
    """Return the settings that make `stored`."""
    task = stored.task
    direction: Direction = task.score.direction
    own: dict[str, Any] = {"direction": direction, "metric": task.score.name, "unit": task.score.unit}
    own |= {"threads": task.settings["threads"], "command": task.settings.get("command")}
    own |= {"python": task.settings.get("python"), "space": stored.box.ranges, "enqueue": stored.enqueued or None}
    own["program"] = Path(task.files[MAIN].name) if MAIN in task.files else None
    own["watch"] = tuple(str(task.settings["watch"]).split(",")) if "watch" in task.settings else None
    own["budget"] = dict(stored.budget) or None
    if stored.finalists:
        own["finalist_budget"] = dict(stored.finalists.budget) or None
    own["ranges"] = stored.ranges.bounds if stored.ranges else None
    return own | stored.core_settings()
