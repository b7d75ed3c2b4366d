"""The files that a trial leaves: those of its ending and those in its folder become artifacts. None can fail it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from search.storage.artifacts import ArtifactFolder, store
from search.study.trial import Ending

_log = logging.getLogger(__name__)


class TrialFiles:
    """Where one trial puts files, and where they go; None for nowhere."""

    def __init__(self, folder: Path | None, artifacts: ArtifactFolder | None) -> None:
        self.folder, self._artifacts = folder, artifacts

    def store(self, ending: Ending) -> dict[str, str]:
        """Store all files, and return the attributes that make them the trial's; what goes wrong is logged."""
        files: dict[str, bytes | Path] = {**self._left(), **ending.files}
        stored: dict[str, str] = {}
        for name, content in files.items():
            try:
                stored |= self._stored(name, content)
            except Exception as error:  # whatever it is, the trial has its result
                _log.warning("%s could not be stored: %s", name, error)
        return stored

    def _stored(self, name: str, content: bytes | Path) -> dict[str, str]:
        if self._artifacts is None:
            _log.warning("%s is not kept: there is no folder for artifacts; name one by the setting 'artifacts'", name)
            return {}
        return store(self._artifacts, name, content if isinstance(content, bytes) else content.read_bytes())

    def _left(self) -> dict[str, Path]:
        if self.folder is None:
            return {}
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path for path in files}


@contextmanager
def keeping(artifacts: ArtifactFolder | None) -> Iterator[TrialFiles]:
    """Give a trial a folder of its own for the length of the block, if its files are kept at all."""
    if artifacts is None:
        yield TrialFiles(None, None)
        return
    with TemporaryDirectory(prefix="agesearch-", ignore_cleanup_errors=True) as folder:
        yield TrialFiles(Path(folder), artifacts)
