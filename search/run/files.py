"""The files that a trial leaves: those of its ending and those in its folder become artifacts. None can fail it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from search.storage.artifacts import ArtifactFolder, store
from search.study.trial import Ending

_log = logging.getLogger(__name__)


@contextmanager
def own_folder(artifacts: ArtifactFolder | None) -> Iterator[Path | None]:
    """Give a trial a folder of its own for the length of the block, if its files are kept at all."""
    if artifacts is None:
        yield None
        return
    with TemporaryDirectory(prefix="agesearch-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def stored_files(ending: Ending, folder: Path | None, artifacts: ArtifactFolder | None) -> dict[str, str]:
    """Store all files, and return the attributes that make them the trial's; what goes wrong is logged."""
    left = () if folder is None else sorted(path for path in folder.rglob("*") if path.is_file())
    files: dict[str, bytes | Path] = {path.relative_to(folder).as_posix(): path for path in left if folder}
    stored: dict[str, str] = {}
    for name, content in (files | dict(ending.files)).items():
        if artifacts is None:
            _log.warning("%s is not kept: there is no folder for artifacts; name one by the setting 'artifacts'", name)
            continue
        try:
            stored |= store(artifacts, name, content if isinstance(content, bytes) else content.read_bytes())
        except Exception as error:  # whatever it is, the trial has its result
            _log.warning("%s could not be stored: %s", name, error)
    return stored
