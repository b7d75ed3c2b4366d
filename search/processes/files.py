"""The files that a trial leaves: those of its ending and those in its folder become artifacts. None can fail it."""

import logging
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from search.storage.artifacts import ArtifactFolder, attach
from search.storage.database import Storage
from search.study.trial import Ending

_log = logging.getLogger(__name__)


class TrialFiles:
    """Where one trial puts files, and where they go; None for nowhere."""

    def __init__(self, folder: Path | None, artifacts: ArtifactFolder | None) -> None:
        self.folder, self._artifacts = folder, artifacts

    def attach(self, storage: Storage, trial_id: int, ending: Ending) -> None:
        """Attach all files to a trial, which must not have ended yet; what goes wrong is logged."""
        files: dict[str, bytes | Path] = {**self._left(), **ending.files}
        for name, content in files.items():
            try:
                self._attach(storage, trial_id, name, content)
            except Exception as error:  # whatever it is, the trial has its result
                _log.warning("%s could not be stored: %s", name, error)

    def _attach(self, storage: Storage, trial_id: int, name: str, content: bytes | Path) -> None:
        if self._artifacts is None:
            _log.warning("%s is not kept: there is no folder for artifacts; name one by the setting 'artifacts'", name)
            return
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        read = content if isinstance(content, bytes) else content.read_bytes()
        attach(storage, self._artifacts, trial_id, name, kind, read)

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
