"""The folder of artifacts: files that a study's trials have next to their values, and how they get and leave it."""

import io
import json
import mimetypes
import os
import re
import secrets
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from optuna.artifacts.exceptions import ArtifactNotFound
from sqlalchemy import select, union_all

from search.errors import SearchFailure
from search.settings.settings import Settings
from search.storage.address import file_of, is_sqlite, parse_address
from search.storage.database import Storage
from search.storage.optuna_tables import study_attributes, system_attributes

_PREFIX = "artifacts:"  # what Optuna and its dashboard look for among the attributes of trials and studies
_UPLOAD_SECONDS = 600.0  # a trial waits for a storage that is away, with its files written
_OURS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\.[0-9a-f]{12}\.tmp")
"""The name of an artifact, or that of one which is still being written."""


class ArtifactFolder:
    """A folder as Optuna's artifact store; a file in it is whole or absent, and its name is its id."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact; raises ArtifactNotFound where there is none."""
        try:
            return io.BytesIO(self._place(artifact_id).read_bytes())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ArtifactNotFound(artifact_id) from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Store an artifact, whole or not at all; raises SearchFailure if it cannot be written."""
        place = self._place(artifact_id)
        temporary = place.with_name(f".{secrets.token_hex(6)}.tmp")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                file.write(content_body.read())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(place)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            reason = error.strerror or str(error)
            raise SearchFailure(
                f"cannot write an artifact into {self.path}: {reason}; choose another --artifacts"
            ) from error

    def remove(self, artifact_id: str) -> None:
        """Remove an artifact, if it is there."""
        self._place(artifact_id).unlink(missing_ok=True)

    def _place(self, artifact_id: str) -> Path:
        try:
            return self.path / str(uuid.UUID(artifact_id))
        except ValueError as error:
            raise ArtifactNotFound(artifact_id) from error


def artifact_folder(settings: Settings) -> ArtifactFolder | None:
    """Return the folder that the settings name, or the one next to an SQLite file; None with another database."""
    if settings.artifacts is not None:
        return ArtifactFolder(settings.artifacts)
    return folder_beside(settings.storage)


def folder_beside(url: str) -> ArtifactFolder | None:
    """Return the folder next to an SQLite file; None with another database."""
    address = parse_address(url)
    return ArtifactFolder(Path(f"{file_of(address)}.artifacts")) if is_sqlite(address) else None


def artifact_ids(keys: Iterable[str]) -> list[str]:
    """Return the ids of the artifacts that attributes with such keys name."""
    return sorted({key.rpartition(":")[2] for key in keys if _PREFIX in key})


def artifacts_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of the artifacts that a trial's system attributes describe, by the names of their files."""
    described = (json.loads(text) for key, text in attributes.items() if key.startswith(_PREFIX))
    return {each["filename"]: each["artifact_id"] for each in described}


def store(folder: ArtifactFolder, name: str, content: bytes) -> dict[str, str]:
    """Store a file, and return the system attribute that makes it its trial's, as Optuna would write it.

    A crash before that is written leaves a file, but no broken picture.
    """
    artifact_id = str(uuid.uuid4())
    folder.write(artifact_id, io.BytesIO(content))
    kind, encoding = mimetypes.guess_type(name)
    kind = kind or "application/octet-stream"
    described = {"artifact_id": artifact_id, "filename": name, "mimetype": kind, "encoding": encoding}
    return {_PREFIX + artifact_id: json.dumps(described)}


def unattached(storage: Storage, folder: ArtifactFolder) -> tuple[Path, ...]:
    """Return the artifacts in the folder that belong to no trial or study, such as one whose upload was cut short.

    Not those of the last ten minutes, which may be about to be attached; nor files that are named otherwise.
    """
    if not folder.path.is_dir():
        return ()
    settled = time.time() - _UPLOAD_SECONDS
    named = (path for path in folder.path.iterdir() if _OURS.fullmatch(path.name))
    files = sorted(path for path in named if _is_older(path, settled))
    both = (system_attributes, study_attributes)
    keys = [select(each.c.key).where(each.c.key.contains(_PREFIX, autoescape=True)) for each in both]
    with storage.engine.begin() as tx:
        attached = {key.rpartition(":")[2] for key in tx.scalars(union_all(*keys))}
    return tuple(path for path in files if path.name not in attached)


def _is_older(path: Path, than: float) -> bool:
    try:
        found = path.stat()
    except OSError:  # such as one that has been moved or removed meanwhile
        return False
    return S_ISREG(found.st_mode) and found.st_mtime < than
