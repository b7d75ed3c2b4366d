"""`agesearch move`: a study taken from one storage to another."""

from typing import Annotated

import typer

from search.cli.options import AsJson, takes_settings
from search.cli.printing import answer, answer_json
from search.counting import counted
from search.settings.settings import Settings


@takes_settings("study", "artifacts")
def move(
    settings: Settings,
    source: Annotated[str, typer.Option("--from", help="The database URL of the storage that has the study.")],
    target: Annotated[str, typer.Option("--to", help="The database URL of another one; made where there is none.")],
    as_json: AsJson = False,
) -> None:
    """Copy a study that no worker is running to another storage, and compare every value.

    Its artifacts are looked for next to an SQLite file and in --artifacts; they are copied to next to an SQLite file,
    or with another database to --artifacts.
    """
    from search.settings.password import with_password
    from search.storage.artifacts import ArtifactFolder, folder_beside
    from search.storage.database import quieten_optuna
    from search.study.move import Folders, move_study

    quieten_optuna()
    source, target = (with_password(url, settings.storage_password_file) for url in (source, target))
    given = None if settings.artifacts is None else ArtifactFolder(settings.artifacts)
    sources = tuple(each for each in (folder_beside(source), given) if each)
    moved = move_study(source, target, settings.study, Folders(sources, folder_beside(target) or given))
    if as_json:
        answer_json(moved)
        return
    stages, slots = counted(moved.stages, "stage"), counted(moved.slots, "slot")
    answer(f"study {settings.study}: {counted(moved.trials, 'trial')}, {stages} and {slots} copied")
    if moved.artifacts or moved.gone:
        gone = f"; {moved.gone} not found" if moved.gone else ""
        answer(f"{moved.artifacts} files of artifacts copied{gone}")
    answer(f"all {moved.rows} rows are the same in both places; those at --from are as they were")
