"""The tasks that there are, by the settings that ask for them and by the kind that a study keeps."""

from search.errors import SearchError
from search.settings.settings import Settings
from search.study.study import Study
from search.tasks.task import Task

PROGRAM = ("program", "command")
"""Settings that make a search one of the user's own program."""


def task_of(settings: Settings) -> Task:
    """Return the task that the settings describe: a program where they name one, else images."""
    return task_named("program" if any(getattr(settings, name) is not None for name in PROGRAM) else "images")


def task_of_study(study: Study) -> Task:
    """Return the task of a study; raises SearchError for one that this version does not know."""
    return task_named(study.spec.task.kind)


def task_named(kind: str) -> Task:
    """Return the task of that kind; raises SearchError if there is none."""
    if kind == "images":
        from search.tasks.images.task import Images

        return Images()
    if kind == "program":
        from search.tasks.program.task import ProgramTask

        return ProgramTask()
    raise SearchError(f"the task {kind!r} is unknown; use the version of agesearch that made the study")
